import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ConfigError, UnknownDatabaseTypeError } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterEach, expect, inject, test, vi } from 'vitest';

const engines = inject('engines');
const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each(engines)('the URL alone opens $name', async ({ url }) => {
  await using db = await createDatabase(url, { name: 'orders', pool: { max: 2 } });
  expect(db.name).toBe('orders');
  expect(db.pool.stats().max).toBe(2);
  expect(Number(await db.queryValue('SELECT ? + 1', [41]))).toBe(42);
});

test.each(engines)('the name of a driver with an object opens $name', async ({ name, url }) => {
  await using db = await createDatabase(name, { url, pool: { max: 3 } });
  expect(db.pool.stats().max).toBe(3);
  await db.ping();
});

test('the environment opens a database, pool options included', async () => {
  vi.stubEnv('DATABASE_URL', 'sqlite::memory:');
  vi.stubEnv('DATABASE_STATEMENT_TIMEOUT_MS', '2000');
  await using db = await createDatabase();
  expect(await db.queryValue('SELECT 7')).toBe(7);
});

test('without a word in the environment the error says what to set', async () => {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('DATABASE_')) vi.stubEnv(name, '');
  }
  await expect(createDatabase()).rejects.toThrow('Set DATABASE_URL');
});

test.each([
  ['postgres//app:hunter2@localhost/shop', UnknownDatabaseTypeError],
  ['postgrse://app:hunter2@localhost/shop', UnknownDatabaseTypeError],
  ['mongodb://app:hunter2@localhost/shop', UnknownDatabaseTypeError],
  ['app@hunter2', UnknownDatabaseTypeError],
  ['postgres://app:hunter2@localhost:99999/shop', ConfigError],
  ['', UnknownDatabaseTypeError],
])('a wrong URL is refused without its password (%#)', async (url, kind) => {
  const error: unknown = await createDatabase(url).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).not.toContain('hunter2');
});

test('an object without driver and URL is asked which database it means', async () => {
  await expect(createDatabase({ host: 'localhost' })).rejects.toThrow('Which database?');
});

test('a misspelt option is refused by name', async () => {
  const options = { statementTimeoutMss: 5 };
  await expect(createDatabase('sqlite::memory:', options as object)).rejects.toThrow(
    'statementTimeoutMs',
  );
});

test('a third party brings a driver, and the application alone has it installed', async () => {
  const home = await mkdtemp(join(tmpdir(), 'dal-factory-'));
  try {
    const inside = join(home, 'node_modules/@dal/oracle');
    await mkdir(inside, { recursive: true });
    await writeFile(
      join(inside, 'package.json'),
      JSON.stringify({ name: '@dal/oracle', type: 'module', exports: './index.js' }),
    );
    await writeFile(join(inside, 'index.js'), thirdPartyDriver);
    const program = join(home, 'main.mjs');
    await writeFile(
      program,
      `import { createDatabase } from ${JSON.stringify(source)};
       const db = await createDatabase('oracle://scott@localhost/shop');
       console.log(await db.queryValue('SELECT ?', ['hello']));
       await db.close();`,
    );
    expect(await runAsProgram(program)).toBe('hello\n');
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

test('a driver whose own dependency is absent is called broken, not missing', async () => {
  const home = await mkdtemp(join(tmpdir(), 'dal-factory-'));
  try {
    const inside = join(home, 'node_modules/@dal/oracle');
    await mkdir(inside, { recursive: true });
    await writeFile(
      join(inside, 'package.json'),
      JSON.stringify({ name: '@dal/oracle', type: 'module', exports: './index.js' }),
    );
    await writeFile(join(inside, 'index.js'), `import 'no-such-client'; export const driver = {};`);
    const program = join(home, 'main.mjs');
    await writeFile(
      program,
      `import { createDatabase } from ${JSON.stringify(source)};
       await createDatabase('oracle://scott@localhost/shop').catch((error) => console.log(error.code));`,
    );
    expect(await runAsProgram(program)).toBe('DAL_DRIVER_BROKEN\n');
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

/** Answers every statement with its first value. */
const thirdPartyDriver = `
  export const driver = {
    name: 'oracle',
    schemes: ['oracle:'],
    dialect: {
      name: 'oracle', placeholder: (index) => ':' + index, quote: ['"', '"'], lexis: {},
      ping: 'SELECT 1', transaction: null, isolations: [], limits: { parameters: 100 }, types: {},
    },
    async connect() {
      return {
        raw: undefined,
        query: async ({ values, rowMode }) => ({
          rows: [rowMode === 'array' ? [values[0]] : { value: values[0] }],
          columns: [{ name: 'value' }],
          affectedRows: 0,
        }),
        close: async () => {},
      };
    },
    classify: () => ({ kind: 'unknown' }),
  };`;

async function runAsProgram(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@dal/source', program],
    { timeout: 20_000 },
  );
  return stdout;
}
