import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CommitOutcomeUnknownError,
  ConnectionError,
  type DalError,
  type SyncDatabase,
} from '@dal/core';
import { isAsyncEnvironment, openSyncDatabase } from '@dal/sync';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SyncThread } from '../src/sync-thread.ts';
import { driver } from './doomed-driver.ts';

let folder = '';
let path = '';
let db: SyncDatabase;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dal-sync-'));
  path = join(folder, 'worker.db');
  db = openSyncDatabase(driver, { path });
  db.execute('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY)');
});

beforeEach(() => {
  db.execute('DELETE FROM t');
});

afterAll(async () => {
  db.close();
  await rm(folder, { recursive: true, force: true });
});

/** How soon the end of a worker must be known, on a busy machine. */
const SOON_MS = 3_000;

describe('a worker that dies during a call', () => {
  test.each([
    ['by process.exit()', 'EXIT', 'ended'],
    ['of an error that nobody catches', 'THROW', 'died of an error'],
  ])('%s gives an error at once, and the next call works', (_, text, words) => {
    const { error, tookMs } = failed(() => db.query(text));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({
      kind: 'connection',
      code: 'DAL_SYNC_WORKER_LOST',
      fault: { connectionLost: true, applied: 'unknown' },
      message: expect.stringContaining(words),
    });
    expect(error.stack).toContain('worker.test.ts');
    if (text === 'THROW') expect((error.cause as Error).message).toBe('nobody catches this');
    expect(tookMs).toBeLessThan(SOON_MS);
    expect(db.queryValue('SELECT 1')).toBe(1);
  });

  test('of too little memory, without a last word, is noticed too', async () => {
    const thread = new SyncThread({ maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 });
    const opened = thread.ask(
      {
        op: 'open',
        module: driver.module!,
        config: {},
        driverOptions: driver.configure?.({ path }),
      },
      60_000,
    );
    const on = (opened as { value: number }).value;
    const { error, tookMs } = failed(() =>
      thread.ask(
        {
          op: 'statement',
          on,
          verb: 'query',
          text: 'EAT',
          values: [],
          options: {},
          endsAt: undefined,
        },
        60_000,
      ),
    );
    expect(error).toMatchObject({ code: 'DAL_SYNC_WORKER_LOST' });
    expect(tookMs).toBeLessThan(15_000);
    await thread.end();
  });

  test('takes its transaction along, which is not in the database', () => {
    const { error } = failed(() =>
      db.transaction((tx) => {
        tx.execute('INSERT INTO t VALUES (1)');
        tx.query('EXIT');
      }),
    );
    expect(error.code).toBe('DAL_SYNC_WORKER_LOST');
    const swallowed = failed(() =>
      db.transaction((tx) => {
        tx.execute('INSERT INTO t VALUES (2)');
        failed(() => tx.query('EXIT'));
      }),
    );
    expect(swallowed.error).toMatchObject({
      code: 'DAL_SYNC_WORKER_LOST',
      fault: { applied: 'no' },
    });
    expect(db.query('SELECT * FROM t')).toEqual([]);
  });

  test.each([
    ['BEFORE', []],
    ['AFTER', [{ id: 1 }]],
  ])('%s COMMIT leaves the outcome unknown, and says so', (when, rows) => {
    const { error } = failed(() =>
      db.transaction((tx) => {
        tx.execute('INSERT INTO t VALUES (1)');
        tx.query(`DIE ${when} COMMIT`);
      }),
    );
    expect(error).toBeInstanceOf(CommitOutcomeUnknownError);
    expect((error.cause as DalError).code).toBe('DAL_SYNC_WORKER_LOST');
    expect(db.query('SELECT * FROM t')).toEqual(rows);
  });
});

test('a worker that stands still is given up when the time is over', () => {
  const { error, tookMs } = failed(() => db.query('LOOP', [], { timeoutMs: 300 }));
  expect(error).toMatchObject({
    code: 'DAL_SYNC_WORKER_LOST',
    message: expect.stringContaining('gave no answer in time'),
  });
  expect(tookMs).toBeGreaterThan(300);
  expect(tookMs).toBeLessThan(9_000);
  expect(db.queryValue('SELECT 1')).toBe(1);
});

test('a database that is closed inside its transaction ends it', () => {
  const own = openSyncDatabase(driver, { path });
  const { error } = failed(() =>
    own.transaction((tx) => {
      tx.execute('INSERT INTO t VALUES (1)');
      own.close();
      tx.execute('INSERT INTO t VALUES (2)');
    }),
  );
  expect(error).toBeInstanceOf(Error);
  expect(db.query('SELECT * FROM t')).toEqual([]);
});

test('the environment is asynchronous, but in the worker', () => {
  expect(isAsyncEnvironment()).toBe(true);
  expect(db.query('WHERE')).toEqual([{ async: false }]);
});

test('a result that cannot travel is an error, not a silence', () => {
  expect(() => db.query('FUNCTION')).toThrow(expect.objectContaining({ code: 'DAL_SYNC_RESULT' }));
  expect(db.queryValue('SELECT 1')).toBe(1);
});

test('databases share a worker, which ends with the last of them', async () => {
  const second = openSyncDatabase(driver, { path });
  second.execute('INSERT INTO t VALUES (5)');
  second.close();
  expect(db.query('SELECT * FROM t')).toEqual([{ id: 5 }]);
  expect(() => second.query('SELECT 1')).toThrow(expect.objectContaining({ code: 'DAL_CLOSED' }));
  expect(threads()).toBe(1);
  db.close();
  db.close();
  await expect.poll(threads).toBe(0);
});

function failed(call: () => unknown): { error: DalError; tookMs: number } {
  const began = performance.now();
  try {
    call();
  } catch (error) {
    return { error: error as DalError, tookMs: performance.now() - began };
  }
  throw new Error('Nothing was thrown.');
}

/** Threads of this process beside its first. */
function threads(): number {
  return (process.report.getReport() as { readonly workers: readonly unknown[] }).workers.length;
}
