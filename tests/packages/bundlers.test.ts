import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { installPacked } from '../setup/packed-packages.ts';
import { type Output, runAsStranger } from '../setup/run-as-stranger.ts';
import { bundlers, outfileOf } from './bundlers.ts';

/** Programs as users write them, with the packages that stay outside of the bundle. */
const programs: Readonly<Record<string, { source: string; external: readonly string[] }>> = {
  // The factory finds a driver by its name at run time; a bundle has to be told.
  server: {
    external: [],
    source: `
      import { createDatabase, registerDriver } from '@dal/factory';
      import { driver as mysql } from '@dal/mysql';
      import { driver as postgres } from '@dal/postgres';
      registerDriver(mysql);
      registerDriver(postgres);
      const main = async () => {
        const db = await createDatabase(process.env.DATABASE_URL);
        const { driverVersion } = await db.version();
        console.log(await db.queryValue('SELECT 20 + 22'), /^\\d+\\./.test(driverVersion));
        const error = await db.query('SELECT * FROM no_such_table').catch((error) => error);
        console.log(error.name, error.kind);
        await db.close();
      };
      main();
    `,
  },
  beside: {
    external: ['@dal/sqlite'],
    source: `
      import { createDatabase } from '@dal/factory';
      import { isDalError, sqlite } from '@dal/sqlite';
      const main = async () => {
        for (const db of [await createDatabase('sqlite:./shop.db'), sqlite('sqlite:./shop.db')]) {
          console.log(await db.queryValue('SELECT 20 + 22'));
          console.log(isDalError(await db.query('SELECT * FROM no_such_table').catch((error) => error)));
          await db.close();
        }
      };
      main();
    `,
  },
  inside: {
    external: [],
    source: `
      import { sqlite } from '@dal/sqlite';
      const main = async () => {
        const db = sqlite('sqlite:./shop.db');
        console.log(await db.queryValue('SELECT 20 + 22').catch(({ code, message }) => code + ': ' + message));
        await db.close();
      };
      main();
    `,
  },
};

const warnings: Record<string, string[]> = {};
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-bundle-'));
  const app = join(home, 'app');
  const ours = ['@dal/factory', '@dal/mysql', '@dal/postgres', '@dal/sqlite'];
  const dependencies = Object.fromEntries(ours.map((name) => [name, '*']));
  await installPacked(app, { dependencies }, { manager: 'pnpm' });
  for (const [name, { source, external }] of Object.entries(programs)) {
    const program = join(app, `${name}.mjs`);
    await writeFile(program, source);
    for (const [bundler, { pack }] of Object.entries(bundlers)) {
      const outfile = outfileOf(home, bundler, program);
      (warnings[bundler] ??= []).push(...(await pack({ program, outfile, external })));
    }
  }
  // From here on, nothing is found where it was while it was bundled.
  await rename(app, join(home, 'deployed'));
}, 180_000);

afterAll(async () => {
  if (home !== '') await rm(home, { recursive: true, force: true });
});

describe.each(Object.keys(bundlers))('a program bundled by %s', (bundler) => {
  const servers = inject('engines').filter(({ name }) => name === 'postgres' || name === 'mysql');

  test.each(servers)('asks $name from a folder with nothing else in it', async ({ url }) => {
    const { stdout, stderr } = await run(outfileOf(home, bundler, 'server'), { DATABASE_URL: url });
    expect({ stdout, stderr }).toEqual({
      stdout: '42 true\nQueryError schema\n',
      stderr: '',
    });
  });

  test('asks SQLite when @dal/sqlite is installed beside it', async () => {
    const bundle = outfileOf(home, bundler, 'beside');
    const folder = join(home, 'deployed', basename(dirname(bundle)));
    await mkdir(folder, { recursive: true });
    await copyFile(bundle, join(folder, basename(bundle)));
    const { stdout, stderr } = await run(join(folder, basename(bundle)));
    expect({ stdout, stderr }).toEqual({ stdout: '42\ntrue\n42\ntrue\n', stderr: '' });
  });

  test('says what to do when @dal/sqlite was packed into it', async () => {
    const { stdout, stderr } = await run(outfileOf(home, bundler, 'inside'));
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringMatching(/^DAL_SQLITE_BUNDLED: .*Mark "@dal\/sqlite" as external/),
      stderr: '',
    });
  });

  test('was bundled without a warning', () => {
    // pg looks for a library that few have, and does without.
    expect(warnings[bundler]?.filter((text) => !text.includes('pg-native'))).toEqual([]);
  });
});

function run(program: string, env: Readonly<Record<string, string>> = {}): Promise<Output> {
  return runAsStranger(process.execPath, [basename(program)], dirname(program), env);
}
