import { createServer } from 'node:net';
import { createDatabase } from '@dal/factory';
import type { Database } from '@dal/core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

/** The error that a call ends in; fails when it doesn't. */
async function errorOf(call: () => Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await call();
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('No error was thrown.');
}

const noRetry = { retry: { maxRetries: 0 } };

describe('before anything is opened', () => {
  test('an unknown option is refused with the likely right one', async () => {
    const error = await errorOf(() =>
      createDatabase('sqlite::memory:', { pool: { poolSize: 5 } as never }),
    );
    expect(error).toMatchObject({ name: 'ConfigError', code: 'DAL_CONFIG_UNKNOWN_OPTION' });
    expect(error.message).toBe('Unknown option "poolSize" in pool. Did you mean "max"?');
  });

  test.each([
    ['postgres://localhost/db', 'hots', 'host'],
    ['mysql://localhost/db', 'pasword', 'password'],
    ['sqlite::memory:', 'readonly', 'readOnly'],
    ['sqlite::memory:', 'statementTimeout', 'statementTimeoutMs'],
  ])('for %s the option "%s" leads to "%s"', async (url, wrong, right) => {
    const error = await errorOf(() => createDatabase({ url, [wrong]: true }));
    expect(error.message).toContain(`"${wrong}"`);
    expect(error.message).toContain(`Did you mean "${right}"?`);
  });

  test('an unknown scheme is named, and the near one suggested', async () => {
    const error = await errorOf(() => createDatabase('postgress://user:geheim@localhost/db'));
    expect(error).toMatchObject({ name: 'UnknownDatabaseTypeError' });
    expect(error.message).toMatch(/postgress.*postgres/s);
    expect(error.message).not.toContain('geheim');
  });
});

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let db: Database;
  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 2 } });
  });
  afterAll(async () => {
    await db.close();
  });

  test.each([
    ['too few', [1], '2 "?" but got 1 value.'],
    ['too many', [1, 2, 3], '2 "?" but got 3 values.'],
  ])('%s parameters are counted before anything is sent', async (_, values, words) => {
    const error = await errorOf(() => db.query('SELECT ? + ?', values));
    expect(error).toMatchObject({ name: 'ConfigError', code: 'DAL_VALUE_COUNT' });
    expect(error.message).toContain(words);
  });

  test.each([
    ['an object', { id: 1 }, 'json('],
    ['undefined', undefined, 'null'],
    ['a function', () => 1, 'function'],
    ['an invalid Date', new Date(Number.NaN), 'invalid Date'],
  ])('%s as a parameter is refused with the way out', async (_, value, words) => {
    const error = await errorOf(() => db.query('SELECT ?', [value]));
    expect(error).toMatchObject({ name: 'ConfigError', code: 'DAL_VALUE' });
    expect(error.message).toContain(words);
    expect(error.message).toContain('Value 1');
  });

  test('two statements in one text are refused, and the first one did not run', async () => {
    await db.execute('DROP TABLE IF EXISTS wrong_input_two');
    await db.execute(`CREATE TABLE wrong_input_two (id ${db.dialect.types.integer})`);
    await errorOf(() =>
      db.execute('INSERT INTO wrong_input_two VALUES (1); INSERT INTO wrong_input_two VALUES (2)'),
    );
    expect(await db.queryValue('SELECT COUNT(*) FROM wrong_input_two')).toBe(0);
    await db.execute('DROP TABLE wrong_input_two');
  });

  test('a second release and a use after release are errors, and nothing is sent', async () => {
    const connection = await db.acquire();
    await connection.release();
    expect(await errorOf(() => connection.release())).toMatchObject({ code: 'DAL_RELEASED_TWICE' });
    expect(await errorOf(() => connection.query('SELECT 1'))).toMatchObject({
      code: 'DAL_USE_AFTER_RELEASE',
    });
    expect(db.pool.stats()).toMatchObject({ lent: 0 });
  });

  test('a closed database says so, at once', async () => {
    const closed = await createDatabase(url);
    await closed.query('SELECT 1');
    await closed.close();
    for (const call of [
      () => closed.query('SELECT 1'),
      () => closed.acquire(),
      () => closed.ping(),
    ]) {
      expect(await errorOf(call)).toMatchObject({ code: 'DAL_CLOSED' });
    }
  });

  if (name === 'sqlite') {
    test('a missing folder is named', async () => {
      const lost = await createDatabase('sqlite:/no/such/folder/app.db', noRetry);
      const error = await errorOf(() => lost.query('SELECT 1'));
      expect(error.message).toContain('/no/such/folder');
      await lost.close();
    });
    return;
  }

  async function failure(
    change: (url: URL) => void,
    options = {},
  ): Promise<Error & Record<string, unknown>> {
    const wrong = new URL(url);
    change(wrong);
    const database = await createDatabase(wrong.href, { ...noRetry, ...options });
    try {
      return await errorOf(() => database.query('SELECT 1'));
    } finally {
      await database.close();
    }
  }

  test('a wrong password fails once, as authentication, without showing it', async () => {
    const error = await failure((wrong) => (wrong.password = 'geheim'));
    expect(error).toMatchObject({ name: 'ConnectionError', kind: 'authentication' });
    expect(JSON.stringify([error.message, error])).not.toContain('geheim');
  });

  test('a wrong password is known at connect(), before the first query', async () => {
    const wrong = new URL(url);
    wrong.password = 'geheim';
    const database = await createDatabase(wrong.href);
    expect(await errorOf(() => database.connect())).toMatchObject({ kind: 'authentication' });
    expect(database.configHash).toBe(db.configHash);
    await database.close();
  });

  test('a missing database is named', async () => {
    const error = await failure((wrong) => (wrong.pathname = '/no_such_db'));
    expect(error.message).toContain('no_such_db');
    expect(error).not.toMatchObject({ kind: 'unknown' });
  });

  test('a wrong host is a connection error that names it', async () => {
    const error = await failure((wrong) => (wrong.hostname = 'no-such-host.invalid'));
    expect(error).toMatchObject({ name: 'ConnectionError', kind: 'connection' });
    expect(error.message).toContain('no-such-host.invalid');
  });

  test('a closed port is a connection error that names it', async () => {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address() as { port: number };
        server.close(() => resolve(address.port));
      });
    });
    const error = await failure((wrong) => (wrong.port = String(port)));
    expect(error).toMatchObject({ name: 'ConnectionError', kind: 'connection' });
    expect(error.message).toContain(String(port));
  });
});
