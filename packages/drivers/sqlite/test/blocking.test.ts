import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { sqlite, sqliteDriver } from '../src/index.ts';
import { failure, newFile, run, settingsOf, type SqliteSession } from './sessions.ts';

function connectSync(options: Parameters<typeof settingsOf>[0]): SqliteSession {
  const session = sqliteDriver.connectSync?.(settingsOf(options));
  if (session === undefined) throw new Error('The driver opens no blocking session for these.');
  onTestFinished(() => session.close());
  return session;
}

const ask = (session: SqliteSession, text: string, values: readonly unknown[] = []) => {
  if (session.querySync === undefined) throw new Error('The session has no querySync.');
  return session.querySync({ text, values });
};

test('a blocking session answers before it returns, with the same values', () => {
  const path = newFile();
  const session = connectSync({ path, runsIn: 'inline' });
  ask(
    session,
    'CREATE TABLE t (id INTEGER PRIMARY KEY, ok BOOLEAN, at TIMESTAMP, doc JSON, price DECIMAL_TEXT)',
  );
  const values = [9007199254740993n, true, new Date(0), '{"a":[1]}', '1.50'];
  expect(ask(session, 'INSERT INTO t VALUES (?, ?, ?, ?, ?)', values)).toMatchObject({
    affectedRows: 1,
    insertId: 9007199254740993n,
    command: 'INSERT',
  });
  expect(ask(session, 'SELECT * FROM t').rows).toEqual([
    { id: 9007199254740993n, ok: true, at: new Date(0), doc: { a: [1] }, price: '1.50' },
  ]);
  expect(session.status?.()).toBe('idle');
  ask(session, 'BEGIN');
  expect(session.status?.()).toBe('transaction');
});

test('and throws the same errors', async () => {
  const session = connectSync({ path: newFile(), runsIn: 'inline' });
  let thrown: unknown;
  try {
    ask(session, 'SELECT * FROM missing');
  } catch (error) {
    thrown = error;
  }
  const awaited = await failure(run(session, 'SELECT * FROM missing'));
  expect(sqliteDriver.classify(thrown)).toEqual(sqliteDriver.classify(awaited));
  expect(sqliteDriver.classify(thrown)).toMatchObject({ kind: 'schema', applied: 'no' });
  await session.close();
  expect(() => ask(session, 'SELECT 1')).toThrow(/closed already/);
});

test('a missing folder is named at once', () => {
  expect(() => connectSync({ path: '/no/such/folder/x.db', runsIn: 'inline' })).toThrow(
    /The folder \/no\/such\/folder does not exist/,
  );
});

test('a session in another process can’t block', () => {
  expect(sqliteDriver.connectSync?.(settingsOf({ path: newFile() }))).toBeUndefined();
  expect(sqliteDriver.connectSync?.(settingsOf({ path: ':memory:' }))).toBeUndefined();
});

test('a database in memory is the same for both ways to call it', async () => {
  const settings = settingsOf({ path: ':memory:', runsIn: 'inline' });
  const waiting = await sqliteDriver.connect(settings, () => undefined);
  const blocking = sqliteDriver.connectSync?.(settings) as SqliteSession;
  onTestFinished(() => waiting.close());
  await run(waiting, 'CREATE TABLE t (n INTEGER)');
  ask(blocking, 'INSERT INTO t VALUES (1)');
  expect((await run(waiting, 'SELECT n FROM t')).rows).toEqual([{ n: 1 }]);

  // A statement in between would be committed or rolled back with the other's.
  await run(waiting, 'BEGIN IMMEDIATE');
  await run(waiting, 'INSERT INTO t VALUES (2)');
  let thrown: unknown;
  try {
    ask(blocking, 'INSERT INTO t VALUES (3)');
  } catch (error) {
    thrown = error;
  }
  expect(sqliteDriver.classify(thrown)).toMatchObject({ kind: 'lockTimeout', applied: 'no' });
  expect(blocking.status?.()).toBe('idle');
  await run(waiting, 'ROLLBACK');
  ask(blocking, 'INSERT INTO t VALUES (4)');
  await blocking.close();
  expect((await run(waiting, 'SELECT n FROM t')).rows).toEqual([{ n: 1 }, { n: 4 }]);
});

test('the module of the driver can be loaded by a worker', async () => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData).then(({ driver }) => parentPort.postMessage(driver.name), (e) => parentPort.postMessage(String(e)));
  `;
  const worker = new Worker(source, {
    eval: true,
    workerData: sqliteDriver.module,
    execArgv: ['--conditions=@dal/source', '--disable-warning=ExperimentalWarning'],
  });
  onTestFinished(async () => void (await worker.terminate()));
  const name = await new Promise((resolve) => worker.once('message', resolve));
  expect(name).toBe('sqlite');
});

test('what is prepared is counted in both kinds of sessions', async () => {
  for (const runsIn of ['inline', 'process'] as const) {
    const db = sqlite({ path: newFile(), runsIn, preparedStatements: 60, pool: { max: 1 } });
    onTestFinished(async () => void (await db.close()));
    const connection = await db.acquire();
    for (let turn = 0; turn < 3; turn++) await connection.query('SELECT 1');
    for (let n = 0; n < 2_000; n++) await connection.query(`SELECT ${n} AS n`);
    await connection.release();
    const { statements } = db.pool.stats();
    expect(statements.hits).toBeGreaterThanOrEqual(2);
    expect(statements.misses).toBeGreaterThanOrEqual(2_000);
    expect(statements.evictions).toBeGreaterThan(1_000);
    expect(statements.size).toBeLessThanOrEqual(500);
  }
});
