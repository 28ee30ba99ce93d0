import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entryPoints, publishedPackages } from '../../tooling/checks/published-packages.ts';
import { installPacked } from '../setup/packed-packages.ts';
import { type Output, runAsStranger } from '../setup/run-as-stranger.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What each driver stands on; nothing else of ours may be needed. */
const FOUNDATION = ['@dal/core', '@dal/database', '@dal/pool', '@dal/resilience'];
/** The libraries that the drivers stand on: each comes with its own driver only. */
const LIBRARIES = { mysql: 'mysql2', postgres: 'pg', sqlite: 'better-sqlite3' };
const drivers = globSync('packages/drivers/*', { cwd: ROOT }).map((path) => basename(path));

let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-consumer-'));
  await Promise.all(
    drivers.map((name) =>
      installPacked(join(home, name), {
        dependencies: { '@dal/core': '*', [`@dal/${name}`]: '*' },
      }),
    ),
  );
}, 180_000);

afterAll(async () => {
  if (home !== '') await rm(home, { recursive: true, force: true });
});

test.each(drivers)('whoever installs @dal/core and @dal/%s gets no other driver', async (name) => {
  const folder = join(home, name);
  const { stdout: tree } = await runAsStranger('npm', ['ls', '--all'], folder);
  console.log(tree.replaceAll(folder, '.').trimEnd());
  const names = new Set([...tree.matchAll(/ (@?[\w./-]+)@\d/g)].map(([, found = '']) => found));

  const ours = [...names].filter((one) => one.startsWith('@dal/'));
  expect(ours.toSorted()).toEqual([...FOUNDATION, `@dal/${name}`].toSorted());
  const libraries = Object.entries(LIBRARIES).filter(([, library]) => names.has(library));
  expect(libraries.map(([driver]) => driver)).toEqual([name]);
});

describe('a stranger who installed @dal/sqlite', () => {
  test('runs a query from an ES module', async () => {
    const source = `
      import { sqlite } from '@dal/sqlite';
      const db = sqlite({ path: 'from-esm.db' });
      console.log(await db.queryValue('SELECT 1 + 1'));
      await db.close();
    `;
    expect(await runFile('main.mjs', source)).toEqual({ stdout: '2\n', stderr: '' });
  });

  test('runs a query from CommonJS', async () => {
    const source = `
      const { sqlite } = require('@dal/sqlite');
      (async () => {
        const db = sqlite({ path: 'from-commonjs.db' });
        console.log(await db.queryValue('SELECT 20 + 3'));
        await db.close();
      })();
    `;
    expect(await runFile('main.cjs', source)).toEqual({ stdout: '23\n', stderr: '' });
  });

  async function runFile(name: string, source: string): Promise<Output> {
    const app = join(home, 'sqlite');
    await writeFile(join(app, name), source);
    return runAsStranger(process.execPath, [name], app);
  }
});

test('require() of every entry point works and is silent', async () => {
  const entries = publishedPackages(ROOT).flatMap((published) =>
    entryPoints(published).map(({ name }) => ({ name, folder: published.folder })),
  );
  // A package knows itself by its name. Without the source condition Node takes what was built.
  const script = `
    const { createRequire } = require('node:module');
    for (const { name, folder } of ${JSON.stringify(entries)}) {
      const found = createRequire(folder + '/package.json')(name);
      console.log(name, Object.keys(found).length > 0);
    }
  `;
  expect(await runAsStranger(process.execPath, ['--eval', script], ROOT)).toEqual({
    stdout: entries.map(({ name }) => `${name} true\n`).join(''),
    stderr: '',
  });
});

test('blocking calls find their worker and the driver in what was built', async () => {
  const script = `
    import { driver } from '@dal/sqlite';
    import { openSyncDatabase } from '@dal/sync';
    const db = openSyncDatabase(driver, 'sqlite::memory:');
    console.log(db.queryValue('SELECT 20 + 22'));
    db.close();
  `;
  const args = ['--input-type=module', '--eval', script];
  expect(await runAsStranger(process.execPath, args, ROOT)).toEqual({ stdout: '42\n', stderr: '' });
});
