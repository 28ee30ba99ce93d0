// The drivers of apps/examples, as somebody else would have them: from packages alone, in a folder of
// their own. DuckDB is made and proved by guide.test.ts.
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installPacked } from '../setup/packed-packages.ts';
import { runAsStranger } from '../setup/run-as-stranger.ts';
import { expectCard, runKit } from './run-kit.ts';

const EXAMPLES = resolve(import.meta.dirname, '../../apps/examples/drivers');
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-drivers-'));
  const manifests = await Promise.all(['pglite', 'duckdb'].map(manifestOf));
  const [pglite, duckdb] = manifests;
  // One installation for both, with the versions that each asks for.
  await installPacked(home, {
    type: 'module',
    dependencies: { ...pglite?.dependencies, ...duckdb?.dependencies, '@dal/factory': '*' },
    devDependencies: pglite?.devDependencies,
  });
  for (const name of ['pglite', 'duckdb']) {
    await cp(join(EXAMPLES, name), join(home, name), {
      recursive: true,
      filter: (path) => !/node_modules|\/dist$/.test(path),
    });
  }
}, 120_000);

afterAll(() => rm(home, { recursive: true, force: true }));

test('PGlite keeps the level that it declares, and its card', { timeout: 120_000 }, async () => {
  const card = await runKit(join(home, 'pglite'));
  await expectCard(card, join(EXAMPLES, 'pglite'));
  expect(card.level).toBe('steady');
});

test.each(['pglite', 'duckdb'])('%s: its types check and it builds', async (name) => {
  const tsc = join(home, 'node_modules/.bin/tsc');
  await runAsStranger(tsc, [], join(home, name));
  await runAsStranger(tsc, ['-p', 'tsconfig.build.json'], join(home, name));
  expect(existsSync(join(home, name, 'dist/index.d.ts'))).toBe(true);
});

test('createDatabase opens what registerDriver has brought', async () => {
  const program = `
    import { createDatabase, registerDriver } from '@dal/factory';
    import { driver as duckdb } from './duckdb/dist/index.js';
    await createDatabase('duckdb::memory:').catch((error) => console.log(error.code));
    registerDriver(duckdb);
    await using db = await createDatabase('duckdb::memory:');
    await db.execute('CREATE TABLE item (id INTEGER PRIMARY KEY, price NUMERIC(10, 2))');
    await db.bulkInsert('item', [{ id: 1, price: '9.50' }, { id: 2, price: '0.25' }]);
    await db.transaction((tx) => tx.execute('UPDATE item SET price = ? WHERE id = ?', ['1.00', 2]));
    const { flavor } = await db.version();
    console.log(flavor, await db.queryValue('SELECT SUM(price) FROM item'));
  `;
  await writeFile(join(home, 'shop.js'), program);
  const { stdout } = await runAsStranger(process.execPath, ['shop.js'], home);
  expect(stdout.trim().split('\n')).toEqual(['DAL_UNKNOWN_DATABASE_TYPE', 'duckdb 10.50']);
});

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(EXAMPLES, name, 'package.json'), 'utf8')) as Manifest;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
