import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installPacked } from '../setup/packed-packages.ts';
import { type Output, runAsStranger } from '../setup/run-as-stranger.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGES = ['@dal/factory', '@dal/mysql', '@dal/postgres', '@dal/sqlite'];

const ES_MODULE = `
import { createDatabase, type Database } from '@dal/factory';
import { isDalError, sqlite } from '@dal/sqlite';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';

const open: readonly unknown[] = [mysql, postgres];
const db: Database = await createDatabase('sqlite:./shop.db');
await using direct = sqlite('sqlite:./shop.db');
interface Hat { readonly size: number }
const [hat] = await db.query<Hat>('SELECT 20 + 22 AS size');
const size: number | undefined = hat?.size;
const error: unknown = await direct.query('SELECT nothing').catch((reason: unknown) => reason);
console.log(size, open.length, isDalError(error) && error.kind);
// @ts-expect-error A timeout is no list.
const wrong: unknown = await db.query('SELECT 1', [], { timeoutMs: [] }).catch(() => undefined);
console.log(wrong);
await db.close();
`;

const COMMON_JS = `
import sqlite = require('@dal/sqlite');

async function main(): Promise<void> {
  const db = sqlite.sqlite('sqlite:./shop.db');
  const size: unknown = await db.queryValue('SELECT 20 + 22');
  console.log(size);
  await db.close();
}
void main();
`;

let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-types-'));
  const dependencies = Object.fromEntries(PACKAGES.map((name) => [name, '*']));
  const devDependencies = Object.fromEntries(
    ['typescript', '@types/node'].map((name) => [name, installedVersion(name)]),
  );
  await installPacked(home, { type: 'module', dependencies, devDependencies }, { manager: 'pnpm' });
}, 120_000);

afterAll(async () => {
  if (home !== '') await rm(home, { recursive: true, force: true });
});

test.each(['node20', 'nodenext'])(
  'with module: %s, TypeScript compiles an ES module and a CommonJS one, and both run',
  async (module) => {
    const folder = join(home, module);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project(module)));
    await writeFile(join(folder, 'main.mts'), ES_MODULE);
    await writeFile(join(folder, 'main.cts'), COMMON_JS);
    await runAsStranger(join(home, 'node_modules', '.bin', 'tsc'), [], folder);

    const run = (file: string): Promise<Output> => runAsStranger(process.execPath, [file], folder);
    expect(await run('main.mjs')).toEqual({ stdout: '42 2 syntax\nundefined\n', stderr: '' });
    expect(await run('main.cjs')).toEqual({ stdout: '42\n', stderr: '' });
  },
);

/** Strict, and nothing of ours is skipped: a type that is missing in a package is an error here. */
function project(module: string): object {
  const compilerOptions = {
    module,
    target: 'es2023',
    lib: ['es2024', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
  };
  return { compilerOptions, files: ['main.mts', 'main.cts'] };
}

function installedVersion(name: string): string {
  const path = join(ROOT, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
