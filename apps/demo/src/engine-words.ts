import { ConfigError, type Connection, type Queryable, type TransactionOptions } from '@dal/core';

export type Activity = 'running' | 'idle' | 'gone';

/** What the demo must say differently to each engine. */
export interface EngineWords {
  readonly workers: number;
  /** Runs for a minute or longer, and does nothing. */
  readonly stuckStatement: string;
  /** What "session" means to a reader. */
  readonly session: string;
  /** What the proof looks at. */
  readonly witness: string;
  readonly kill: string;
  sessionOf(connection: Connection): Promise<number>;
  /** What a session does, as somebody else sees it. */
  activityOf(from: Queryable, session: number): Promise<Activity>;
  killSession(from: Queryable, session: number): Promise<void>;
  /** How an order is placed, so that conflicts come often and end soon. */
  readonly transaction: TransactionOptions;
  /** Whether rows are locked in the order of their ids. Otherwise deadlocks are sure to come. */
  readonly locksInOrder: boolean;
}

/** @throws ConfigError for an engine that the demo does not know */
export function engineWords(dialect: string): EngineWords {
  const words = Object.hasOwn(engines, dialect) ? engines[dialect] : undefined;
  if (words !== undefined) return words;
  throw new ConfigError(
    `The demo has words for ${Object.keys(engines).join(', ')}, and none for "${dialect}".`,
    { code: 'DAL_DEMO_ENGINE', kind: 'usage' },
  );
}

const postgres: EngineWords = {
  workers: 8,
  stuckStatement: 'SELECT pg_sleep(60)',
  session: 'session',
  witness: 'pg_stat_activity',
  kill: 'pg_terminate_backend',
  async sessionOf(connection) {
    return Number(await connection.queryValue('SELECT pg_backend_pid()'));
  },
  async activityOf(from, session) {
    const state = await from.queryValue('SELECT state FROM pg_stat_activity WHERE pid = ?', [
      session,
    ]);
    if (state === undefined) return 'gone';
    return state === 'active' ? 'running' : 'idle';
  },
  async killSession(from, session) {
    await from.query('SELECT pg_terminate_backend(?)', [session]);
  },
  // A deadlock is found after a second there; a conflict of snapshots at once.
  transaction: { isolation: 'repeatableRead' },
  locksInOrder: true,
};

const mysql: EngineWords = {
  workers: 8,
  stuckStatement: 'SELECT SLEEP(60)',
  session: 'session',
  witness: 'SHOW PROCESSLIST',
  kill: 'KILL',
  async sessionOf(connection) {
    return Number(await connection.queryValue('SELECT CONNECTION_ID()'));
  },
  async activityOf(from, session) {
    const rows = await from.query<{ Id: number; Command: string }>('SHOW PROCESSLIST');
    const row = rows.find(({ Id }) => Id === session);
    if (row === undefined) return 'gone';
    return row.Command === 'Sleep' ? 'idle' : 'running';
  },
  async killSession(from, session) {
    await from.query(`KILL ${session}`);
  },
  transaction: {},
  locksInOrder: false,
};

const sqlite: EngineWords = {
  // Writers queue for the file; more of them only make the queue longer.
  workers: 4,
  stuckStatement:
    'WITH RECURSIVE forever(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM forever) SELECT max(n) FROM forever',
  session: 'process',
  witness: 'the operating system',
  kill: 'SIGKILL',
  sessionOf(connection) {
    const { pid, runsIn } = connection.raw as { pid: number; runsIn: string };
    if (runsIn === 'process') return Promise.resolve(pid);
    throw new ConfigError('The demo kills sessions, so SQLite must run in processes of its own.', {
      code: 'DAL_DEMO_ENGINE',
      kind: 'usage',
    });
  },
  activityOf(_, session) {
    return Promise.resolve(isAlive(session) ? 'running' : 'gone');
  },
  killSession(_, session) {
    process.kill(session, 'SIGKILL');
    return Promise.resolve();
  },
  transaction: {},
  locksInOrder: false,
};

const engines: Readonly<Record<string, EngineWords>> = { postgres, mysql, sqlite };

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
