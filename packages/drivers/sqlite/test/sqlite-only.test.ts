import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DriverConnection } from '@dal/core';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Database,
  sqlite,
  type SqliteConfig,
  sqliteDriver,
  type SqliteOptions,
  type SqliteRaw,
} from '../src/index.ts';

/** Never ends, and gives no row on the way. */
const STUCK =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c';
const LONG =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5000000) SELECT sum(x) AS n FROM c';

describe('a stuck statement', () => {
  test('is stopped at its deadline, and others go on', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (n INTEGER)');
    const began = performance.now();
    const stuck = failure(db.query(STUCK, [], { timeoutMs: 300 }));
    await db.execute('INSERT INTO t VALUES (1)');
    expect(await db.queryValue('SELECT count(*) FROM t')).toBe(1);
    expect(await stuck).toMatchObject({ kind: 'statementTimeout' });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('frees the lock when it was a write, leaves nothing behind and no damage', async () => {
    const db = open({ pool: { max: 2 } });
    await db.execute('CREATE TABLE t (n INTEGER)');
    for (let turn = 0; turn < 3; turn++) {
      const endless =
        'INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c';
      const stuck = await failure(db.execute(endless, [], { timeoutMs: 300 }));
      expect(stuck).toMatchObject({ kind: 'statementTimeout' });
      await db.execute('INSERT INTO t VALUES (?)', [turn], { timeoutMs: 4_000 });
    }
    expect(await db.query('SELECT n FROM t ORDER BY n')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    expect(await db.queryValue('PRAGMA integrity_check')).toBe('ok');
  });

  test('in a transaction takes the transaction with it', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (n INTEGER)');
    const lost = await failure(
      db.transaction(async (tx) => {
        await tx.execute('INSERT INTO t VALUES (1)');
        await tx.query(STUCK, [], { timeoutMs: 200 });
      }),
    );
    expect(lost).toMatchObject({ kind: 'statementTimeout' });
    expect(await db.queryValue('SELECT count(*) FROM t')).toBe(0);
    await db.execute('INSERT INTO t VALUES (2)', [], { timeoutMs: 4_000 });
  });

  test('leaves no process behind', async () => {
    const session = await connect();
    const stuck = failure(session.query({ text: STUCK, values: [] }));
    session.destroy?.();
    expect(await stuck).toMatchObject({ code: 'DAL_SQLITE_SESSION_LOST' });
    expect(sqliteDriver.classify(await stuck)).toMatchObject({
      kind: 'connection',
      connectionLost: true,
      applied: 'no',
    });
    await session.close();
    expect(isAlive(session.raw.pid)).toBe(false);
  });

  test('does not outlive a parent that was killed', async () => {
    const file = join(folder(), 'orphan.db');
    const parent = fork(join(import.meta.dirname, 'orphan-parent.ts'), [file], {
      execArgv: ['--conditions=@dal/source', '--disable-warning=ExperimentalWarning'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    await once(parent, 'message');
    const db = open({ path: file, busyTimeoutMs: 100 });
    await eventually(
      async () => (await failure(db.execute('INSERT INTO t VALUES (1)')))?.kind === 'lockTimeout',
    );
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await eventually(
      async () => (await failure(db.execute('INSERT INTO t VALUES (2)'))) === undefined,
    );
    expect(await db.queryValue('SELECT count(*) FROM t')).toBe(1);
  });

  test('in memory costs the data, and every later error says so', async () => {
    const warnings: (Error & { code?: string })[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    onTestFinished(() => void process.off('warning', listen));
    const db = open({ path: ':memory:' });
    await db.execute('CREATE TABLE t (n INTEGER)');
    expect(await failure(db.query(STUCK, [], { timeoutMs: 200 }))).toMatchObject({
      kind: 'statementTimeout',
    });
    const missing = await failure(db.query('SELECT * FROM t'));
    expect(missing?.kind).toBe('schema');
    expect(missing?.message).toMatch(/in memory lost its data/);
    await vi.waitFor(() =>
      expect(warnings.map(({ code }) => code)).toContain('DAL_SQLITE_MEMORY_LOST'),
    );
  });
});

describe('the event loop', () => {
  test('stays free while SQLite works', async () => {
    const db = open();
    await db.query('SELECT 1');
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    // The first sample only sets the clock.
    await sleep(20);
    const began = performance.now();
    await db.query(LONG);
    const took = performance.now() - began;
    await sleep(20);
    delay.disable();
    // A statement that blocked the loop would show as a delay of its own length.
    expect(took).toBeGreaterThan(100);
    expect(delay.max / 1e6).toBeLessThan(took / 2);
  });

  test('stays free while a session waits for a lock', async () => {
    const db = open({ busyTimeoutMs: 400 });
    await db.execute('CREATE TABLE t (n INTEGER)');
    await using holder = await db.acquire();
    await holder.begin();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    // The first sample only sets the clock.
    await sleep(20);
    const refused = await failure(db.execute('INSERT INTO t VALUES (1)'));
    await sleep(20);
    delay.disable();
    expect(refused).toMatchObject({
      kind: 'lockTimeout',
      fault: { applied: 'no', code: 'SQLITE_BUSY' },
    });
    expect(delay.max / 1e6).toBeLessThan(300);
    await holder.rollback();
    await db.execute('INSERT INTO t VALUES (1)');
  });
});

describe('locks', () => {
  test('writers of one pool queue instead of fail', async () => {
    const db = open({ pool: { max: 5 } });
    await db.execute('CREATE TABLE t (n INTEGER)');
    await db.execute('INSERT INTO t VALUES (0)');
    await Promise.all(
      Array.from({ length: 25 }, () =>
        db.transaction(async (tx) => {
          const n = await tx.queryValue<number>('SELECT n FROM t');
          await tx.execute('UPDATE t SET n = ?', [(n ?? 0) + 1]);
        }),
      ),
    );
    expect(await db.queryValue('SELECT n FROM t')).toBe(25);
  });

  test('readers see the state before while a writer works', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (n INTEGER)');
    await db.transaction(async (tx) => {
      await tx.execute('INSERT INTO t VALUES (1)');
      expect(await db.queryValue('SELECT count(*) FROM t')).toBe(0);
    });
    expect(await db.queryValue('SELECT count(*) FROM t')).toBe(1);
  });

  test('a snapshot that is too old to be written on is a serialization failure', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (n INTEGER)');
    await using old = await db.acquire();
    await old.execute('BEGIN');
    await old.query('SELECT * FROM t');
    await db.execute('INSERT INTO t VALUES (1)');
    expect(await failure(old.execute('INSERT INTO t VALUES (2)'))).toMatchObject({
      kind: 'serialization',
      fault: { code: 'SQLITE_BUSY_SNAPSHOT', applied: 'no', transaction: 'open' },
    });
    expect(old.inTransaction).toBe(true);
    await old.execute('ROLLBACK');
    expect(old.inTransaction).toBe(false);
  });

  test('many sessions that start at once on a new file do not collide', async () => {
    const path = join(folder(), 'new.db');
    const sessions = await Promise.all(Array.from({ length: 6 }, () => connect({ path })));
    const modes = await Promise.all(
      sessions.map((session) => session.query({ text: 'PRAGMA journal_mode', values: [] })),
    );
    for (const { rows } of modes) expect(rows).toEqual([{ journal_mode: 'wal' }]);
  });
});

describe('transactions', () => {
  test('one that SQLite ended is known to be over', async () => {
    const session = await connect({ pragmas: { max_page_count: 20 } });
    await run(session, 'CREATE TABLE t (x BLOB)');
    await run(session, 'BEGIN IMMEDIATE');
    await run(session, 'INSERT INTO t VALUES (1)');
    expect(session.status?.()).toBe('transaction');
    const error = await failure(run(session, 'INSERT INTO t VALUES (zeroblob(1000000))'));
    const fault = sqliteDriver.classify(error);
    expect(fault).toMatchObject({ kind: 'resource', code: 'SQLITE_FULL' });
    const goesOn = session.status?.() === 'transaction';
    expect(fault.transaction).toBe(goesOn ? 'open' : 'gone');
  });

  test('RAISE(ROLLBACK) ends it, and the fault says so', async () => {
    const session = await connect();
    await run(session, 'CREATE TABLE t (n INTEGER)');
    await run(
      session,
      "CREATE TRIGGER g BEFORE INSERT ON t WHEN new.n < 0 BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
    );
    await run(session, 'BEGIN IMMEDIATE');
    await run(session, 'INSERT INTO t VALUES (1)');
    const error = await failure(run(session, 'INSERT INTO t VALUES (-1)'));
    expect(sqliteDriver.classify(error)).toMatchObject({ kind: 'check', transaction: 'gone' });
    expect(session.status?.()).toBe('idle');
    expect((await run(session, 'SELECT * FROM t')).rows).toEqual([]);
  });

  test('one for reading refuses writes, and the next one may write', async () => {
    const db = open({ pool: { max: 1 } });
    await db.execute('CREATE TABLE t (n INTEGER)');
    const write = db.transaction((tx) => tx.execute('INSERT INTO t VALUES (1)'), {
      readOnly: true,
    });
    expect(await failure(write)).toMatchObject({ kind: 'readOnly' });
    await db.transaction((tx) => tx.execute('INSERT INTO t VALUES (1)'));
    expect(await db.queryValue('SELECT count(*) FROM t')).toBe(1);
  });
});

describe('values', () => {
  test('whole numbers stay whole in a column of text', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (a TEXT, b DECIMAL_TEXT, c)');
    await db.execute('INSERT INTO t VALUES (?, ?, ?)', [5, 5, 5]);
    expect(await db.query('SELECT a, b, typeof(c) AS c FROM t')).toEqual([
      { a: '5', b: '5', c: 'integer' },
    ]);
  });

  test('minus zero and infinity come back from an expression', async () => {
    const [row] = await open().query('SELECT ? AS a, ? AS b', [-0, -Infinity]);
    expect(row).toEqual({ a: -0, b: -Infinity });
  });

  test('integers take the form that was asked for', async () => {
    const text = 'SELECT 9007199254740993 AS big, 1 AS small';
    expect(await open().query(text)).toEqual([{ big: 9007199254740993n, small: 1 }]);
    expect(await open({ integers: 'bigint' }).query(text)).toEqual([
      { big: 9007199254740993n, small: 1n },
    ]);
    expect(await open({ integers: 'text' }).query(text)).toEqual([
      { big: '9007199254740993', small: '1' },
    ]);
    const strict = open({ integers: 'number' });
    expect(await strict.query('SELECT 1 AS small')).toEqual([{ small: 1 }]);
    expect(await failure(strict.query(text))).toMatchObject({ kind: 'data' });
  });

  test('RETURNING has its rows, its count and its types', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, ok BOOLEAN)');
    const inserted = await db.execute('INSERT INTO t (ok) VALUES (?), (?) RETURNING id, ok', [
      true,
      false,
    ]);
    expect(inserted).toMatchObject({
      rows: [
        { id: 1, ok: true },
        { id: 2, ok: false },
      ],
      affectedRows: 2,
      insertId: 2,
    });
    const updated = await db.execute('UPDATE t SET ok = ? RETURNING id', [true]);
    expect(updated).toMatchObject({ affectedRows: 2, insertId: undefined });
    expect(await db.execute('SELECT * FROM t')).toMatchObject({ affectedRows: 0 });
  });

  test('an id is exact beyond 2^53, and an upsert claims none', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)');
    const { insertId } = await db.execute('INSERT INTO t VALUES (9007199254740993, 1)');
    expect(insertId).toBe(9007199254740993n);
    const upsert = await db.execute(
      'INSERT INTO t VALUES (9007199254740993, 2) ON CONFLICT (id) DO UPDATE SET n = excluded.n',
    );
    expect(upsert).toMatchObject({ affectedRows: 1, insertId: undefined });
  });
});

describe('sessions', () => {
  test('two statements in one text are refused, and none of them runs', async () => {
    const db = open();
    await db.execute('CREATE TABLE t (n INTEGER)');
    const error = await failure(db.execute('INSERT INTO t VALUES (1); DROP TABLE t'));
    expect(error).toMatchObject({ kind: 'usage', fault: { applied: 'no' } });
    expect(error?.message).toMatch(/one statement at a time/);
    expect(await db.queryValue('SELECT count(*) FROM t')).toBe(0);
  });

  test('a prepared SELECT * follows the schema that another session changed', async () => {
    const path = join(folder(), 'x.db');
    const [mine, other] = await Promise.all([connect({ path }), connect({ path })]);
    await run(mine, 'CREATE TABLE t (a TEXT, b TEXT)');
    await run(mine, "INSERT INTO t VALUES ('1', '0')");
    expect((await run(mine, 'SELECT * FROM t')).rows).toEqual([{ a: '1', b: '0' }]);
    await run(other, 'ALTER TABLE t RENAME COLUMN b TO c');
    expect((await run(mine, 'SELECT * FROM t')).rows).toEqual([{ a: '1', c: '0' }]);
    await run(other, 'ALTER TABLE t ADD COLUMN d BOOLEAN DEFAULT 1');
    expect((await run(mine, 'SELECT * FROM t')).rows).toEqual([{ a: '1', c: '0', d: true }]);
    await run(mine, 'ALTER TABLE t DROP COLUMN c');
    expect((await run(mine, 'SELECT * FROM t')).rows).toEqual([{ a: '1', d: true }]);
  });

  test('a reset undoes settings and temporary tables, and keeps the data', async () => {
    for (const path of [':memory:', join(folder(), 'x.db')]) {
      const session = await connect({ path });
      await run(session, 'CREATE TABLE t (n INTEGER)');
      await run(session, 'CREATE TEMP TABLE mine (n INTEGER)');
      await run(session, 'PRAGMA foreign_keys = OFF');
      await run(session, "ATTACH ':memory:' AS beside");
      await session.reset?.();
      expect((await run(session, 'PRAGMA foreign_keys')).rows).toEqual([{ foreign_keys: 1 }]);
      expect((await run(session, 'SELECT name FROM sqlite_temp_master')).rows).toEqual([]);
      const names = await run(
        session,
        "SELECT name FROM pragma_database_list WHERE name <> 'temp'",
      );
      expect(names.rows).toEqual([{ name: 'main' }]);
      expect((await run(session, 'SELECT * FROM t')).rows).toEqual([]);
    }
  });

  test('a process that dies while idle is reported once, and later statements were not applied', async () => {
    const lost = vi.fn<(error: unknown) => void>();
    const session = await connect({}, lost);
    process.kill(session.raw.pid, 'SIGKILL');
    await vi.waitFor(() => expect(lost).toHaveBeenCalledOnce());
    const gone = { kind: 'connection', connectionLost: true, applied: 'no' };
    expect(sqliteDriver.classify(lost.mock.calls[0]?.[0])).toMatchObject(gone);
    expect(sqliteDriver.classify(await failure(run(session, 'SELECT 1')))).toMatchObject(gone);
    await session.close();
    expect(lost).toHaveBeenCalledOnce();
  });

  test('a process that dies while busy leaves a change unknown, and a read without effect', async () => {
    const lost = vi.fn<(error: unknown) => void>();
    const reading = await connect();
    const read = failure(run(reading, STUCK));
    process.kill(reading.raw.pid, 'SIGKILL');
    expect(sqliteDriver.classify(await read)).toMatchObject({
      connectionLost: true,
      applied: 'no',
    });
    const session = await connect({}, lost);
    await run(session, 'CREATE TABLE t (n INTEGER)');
    const running = failure(run(session, `INSERT INTO t ${STUCK}`));
    process.kill(session.raw.pid, 'SIGKILL');
    expect(sqliteDriver.classify(await running)).toMatchObject({
      connectionLost: true,
      applied: 'unknown',
    });
    expect(lost).toHaveBeenCalledOnce();
    await session.close();
    expect(lost).toHaveBeenCalledOnce();
  });

  test('Ctrl-C and polite signals are the parent’s business', async () => {
    const session = await connect();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.kill(session.raw.pid, signal);
    }
    expect((await run(session, 'SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
  });

  test('close ends the process, also while it is stuck, and keeps what was committed', async () => {
    const path = join(folder(), 'x.db');
    const session = await connect({ path });
    await run(session, 'CREATE TABLE t (n INTEGER)');
    const stuck = failure(run(session, STUCK));
    const began = performance.now();
    await session.close();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(isAlive(session.raw.pid)).toBe(false);
    expect(await stuck).toBeDefined();
    const next = await connect({ path });
    expect((await run(next, 'SELECT * FROM t')).rows).toEqual([]);
    await next.close();
    // The last one to leave empties the log.
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('leaving a stream early leaves the session usable; memory holds two batches', async () => {
    const session = await connect();
    const text = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c';
    let seen = 0;
    for await (const batch of session.stream?.({ text, values: [] }, 50) ?? []) {
      expect(batch).toHaveLength(50);
      seen += batch.length;
      if (seen >= 500) break;
    }
    expect((await run(session, 'SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
    await run(session, 'CREATE TABLE t (n INTEGER)');
  });

  test('an error in the middle of a stream ends it, and the session goes on', async () => {
    const session = await connect();
    const text =
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100) SELECT CASE WHEN x = 55 THEN json('{') ELSE x END AS x FROM c";
    const seen: unknown[] = [];
    const reading = async (): Promise<void> => {
      for await (const batch of session.stream?.({ text, values: [] }, 10) ?? [])
        seen.push(...batch);
    };
    expect(sqliteDriver.classify(await failure(reading()))).toMatchObject({ kind: 'data' });
    expect(seen).toHaveLength(50);
    await run(session, 'SELECT 1');
  });
});

describe('opening', () => {
  test('a missing folder is named', async () => {
    const missing = join(folder(), 'no', 'such');
    const error = await failure(connect({ path: join(missing, 'x.db') }));
    expect(error?.message).toContain(missing);
  });

  test('a missing file is made, unless that was forbidden', async () => {
    const path = join(folder(), 'x.db');
    expect(await failure(connect({ path, createIfMissing: false }))).toMatchObject({
      kind: 'usage',
    });
    expect(await failure(connect({ path, readOnly: true }))).toMatchObject({ kind: 'usage' });
    expect(existsSync(path)).toBe(false);
    await connect({ path });
    expect(existsSync(path)).toBe(true);
  });

  test('a file that is no database is refused', async () => {
    const path = join(folder(), 'letter.txt');
    writeFileSync(path, 'Dear reader, '.repeat(1_000));
    const error = await failure(connect({ path }));
    expect(sqliteDriver.classify(error)).toMatchObject({ kind: 'corrupt', applied: 'no' });
  });

  test('the connect timeout is kept, and no process stays', async () => {
    const began = performance.now();
    const error = await failure(connect({ connectTimeoutMs: 1 }));
    expect(sqliteDriver.classify(error)).toMatchObject({ kind: 'connection', applied: 'no' });
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('readOnly reads, refuses writes, and takes transactions', async () => {
    const path = join(folder(), 'x.db');
    const writer = open({ path });
    await writer.execute('CREATE TABLE t (n INTEGER)');
    const reader = open({ path, readOnly: true });
    expect(await reader.transaction((tx) => tx.query('SELECT * FROM t'))).toEqual([]);
    expect(await failure(reader.execute('INSERT INTO t VALUES (1)'))).toMatchObject({
      kind: 'readOnly',
    });
    const memory = open({ path: ':memory:', readOnly: true });
    expect(await failure(memory.execute('CREATE TABLE t (n INTEGER)'))).toMatchObject({
      kind: 'readOnly',
    });
  });

  test('inline sessions do the same work in this thread', async () => {
    const db = open({ runsIn: 'inline', pool: { max: 5 } });
    await db.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP)');
    await db.execute('INSERT INTO t (at) VALUES (?)', [new Date(0)]);
    expect(await db.query('SELECT * FROM t')).toEqual([{ id: 1, at: new Date(0) }]);
    expect(db.pool.stats().max).toBe(1);
    await using connection = await db.acquire();
    expect((connection.raw as SqliteRaw).pid).toBe(process.pid);
    expect((connection.raw as SqliteRaw).database?.open).toBe(true);
  });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'dal-sqlite-only-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** A database in a new file, unless the options name one. */
function open(options: SqliteConfig = {}): Database {
  const db = sqlite({ ...(options.path ? {} : { path: join(folder(), 'x.db') }), ...options });
  onTestFinished(async () => void (await db.close({ force: true })));
  return db;
}

async function connect(
  options: SqliteOptions = {},
  lost: (error: unknown) => void = () => undefined,
): Promise<DriverConnection<SqliteRaw>> {
  const given = { ...(options.path ? {} : { path: join(folder(), 'x.db') }), ...options };
  const settings = sqliteDriver.configure?.(given);
  if (settings === undefined) throw new Error('The driver reads options.');
  const session = await sqliteDriver.connect(settings, lost);
  onTestFinished(() => session.close());
  return session;
}

function run(session: DriverConnection<SqliteRaw>, text: string) {
  return session.query({ text, values: [] });
}

interface Failure extends Error {
  readonly kind?: string;
}

async function failure(work: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error as Failure;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('It did not come to pass within 10 s.');
}
