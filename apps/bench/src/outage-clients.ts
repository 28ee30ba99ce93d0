import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, isDalError } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import knex from 'knex';
import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';

export type OutageEngine = 'postgres' | 'mysql' | 'mariadb';

/** What callers were told of a request. */
export type Told = 'done' | 'failed' | 'unknown';

/** A pool as a program uses it, with its own way to give up after {@link REQUEST_MS}. */
export interface OutageClient {
  /** The words that a table was filled with, in their order. */
  read(): Promise<readonly string[]>;
  /** One row. */
  write(op: string): Promise<Told>;
  /** Two rows, together or not at all, with something else to do between them. */
  transfer(op: string): Promise<Told>;
  /** Takes a connection; it comes back only with what is answered. */
  leak(): Promise<() => unknown>;
  close(): Promise<unknown>;
}

export interface OutageClientOptions {
  readonly url: string;
  /** A second server; the writable one of the two is wanted. */
  readonly secondPort?: number;
  /** How it is called in the ledger. */
  readonly who: string;
  /** May change while the program runs; who can't ask for it goes by the one in the URL. */
  readonly password: () => string;
}

export const OUTAGE_POOL = 5;
/** What every request may take, and every wait for a connection. */
const REQUEST_MS = 2_000;
const BETWEEN_MS = 5;
const READ = 'SELECT word FROM outage_words ORDER BY id';

type Opener = (options: OutageClientOptions) => OutageClient;

/** Who is measured on an engine, by name. */
export function outageClients(engine: OutageEngine): Readonly<Record<string, Opener>> {
  const pool = { max: OUTAGE_POOL };
  // As all others have it.
  const connectTimeoutMs = REQUEST_MS;
  if (engine === 'postgres') {
    return {
      DAL: ({ who, password, ...at }) =>
        dalClient(postgres(dalUrl(at), { pool, connectTimeoutMs, password }), who),
      'pg.Pool': (options) => pgClient(options),
      'pg.Pool, error listener': (options) => pgClient(options, true),
      knex: (options) => knexClient('pg', options),
    };
  }
  return {
    DAL: ({ who, password, ...at }) =>
      dalClient(mysql(dalUrl(at), { pool, connectTimeoutMs, password, tls: 'disable' }), who),
    mysql2: mysql2Client,
    knex: (options) => knexClient('mysql2', options),
  };
}

function dalUrl({ url, secondPort }: Pick<OutageClientOptions, 'url' | 'secondPort'>): string {
  if (secondPort === undefined) return url;
  const { host, hostname } = new URL(url);
  return `${url.replace(`@${host}`, `@${host},${hostname}:${secondPort}`)}?target_session_attrs=read-write`;
}

function insertOf(who: string, mark: readonly [string, string] = ['?', '?']): string {
  return `INSERT INTO outage_ledger (who, op, part) VALUES ('${who}', ${mark.join(', ')})`;
}

function dalClient(db: Database, who: string): OutageClient {
  const insert = insertOf(who);
  const limit = { timeoutMs: REQUEST_MS };
  return {
    read: async () => (await db.query<WordRow>(READ, [], limit)).map(({ word }) => word),
    write: (op) => dalTold('statement', db.execute(insert, [op, 1], limit)),
    transfer: (op) =>
      dalTold(
        'transaction',
        db.transaction(async (tx) => {
          await tx.execute(insert, [op, 1]);
          await sleep(BETWEEN_MS);
          await tx.execute(insert, [op, 2]);
        }, limit),
      ),
    leak: async () => {
      const connection = await db.acquire(limit);
      return () => connection.release();
    },
    close: () => db.close({ timeoutMs: 1_000 }),
  };
}

interface WordRow {
  readonly word: string;
}

async function dalTold(what: 'statement' | 'transaction', work: Promise<unknown>): Promise<Told> {
  try {
    await work;
    return 'done';
  } catch (error) {
    const isUnknown =
      isDalError(error) &&
      (what === 'transaction'
        ? error.name === 'CommitOutcomeUnknownError'
        : error.fault?.applied === 'unknown');
    return isUnknown ? 'unknown' : 'failed';
  }
}

/** An error of a raw library says nothing about what was done. */
async function rawTold(work: Promise<unknown>): Promise<Told> {
  try {
    await work;
    return 'done';
  } catch {
    return 'failed';
  }
}

function pgClient({ url, who, password }: OutageClientOptions, listens = false): OutageClient {
  const { hostname, port, username, pathname } = new URL(url);
  const pool = new Pool({
    host: hostname,
    port: Number(port),
    user: username,
    database: pathname.slice(1),
    password,
    max: OUTAGE_POOL,
    connectionTimeoutMillis: REQUEST_MS,
    query_timeout: REQUEST_MS,
  });
  if (listens) pool.on('error', () => undefined);
  const insert = insertOf(who, ['$1', '$2']);
  return {
    read: async () => (await pool.query<WordRow>(READ)).rows.map(({ word }) => word),
    write: (op) => rawTold(pool.query(insert, [op, 1])),
    transfer: (op) =>
      rawTold(
        (async () => {
          const client = await pool.connect();
          if (listens) client.on('error', ignore);
          try {
            await client.query('BEGIN');
            await client.query(insert, [op, 1]);
            await sleep(BETWEEN_MS);
            await client.query(insert, [op, 2]);
            await client.query('COMMIT');
          } catch (error) {
            await client.query('ROLLBACK');
            throw error;
          } finally {
            client.off('error', ignore);
            client.release();
          }
        })(),
      ),
    leak: async () => {
      const client = await pool.connect();
      return () => client.release();
    },
    close: () => pool.end(),
  };
}

function ignore(): void {}

function mysql2Client({ url, who }: OutageClientOptions): OutageClient {
  const pool = createPool({
    uri: url.replace(/^mariadb:/, 'mysql:'),
    connectionLimit: OUTAGE_POOL,
    connectTimeout: REQUEST_MS,
  });
  const sql = insertOf(who);
  const timeout = REQUEST_MS;
  return {
    read: async () => {
      const [rows] = await pool.query({ sql: READ, timeout });
      return (rows as WordRow[]).map(({ word }) => word);
    },
    write: (op) => rawTold(pool.query({ sql, timeout }, [op, 1])),
    transfer: (op) =>
      rawTold(
        (async () => {
          const connection = await pool.getConnection();
          try {
            await connection.beginTransaction();
            await connection.query({ sql, timeout }, [op, 1]);
            await sleep(BETWEEN_MS);
            await connection.query({ sql, timeout }, [op, 2]);
            await connection.commit();
          } catch (error) {
            await connection.rollback();
            throw error;
          } finally {
            connection.release();
          }
        })(),
      ),
    leak: async () => {
      const connection = await pool.getConnection();
      return () => connection.release();
    },
    close: () => pool.end(),
  };
}

function knexClient(client: 'pg' | 'mysql2', options: OutageClientOptions): OutageClient {
  const { url, who, password } = options;
  const { hostname, port, username, pathname } = new URL(url);
  const builder = knex({
    client,
    connection: () => {
      const used = password();
      return {
        host: hostname,
        port: Number(port),
        user: username,
        database: pathname.slice(1),
        password: used,
        // As knex has it for passwords that expire: asked for again when this answers true.
        expirationChecker: () => password() !== used,
      };
    },
    pool: { min: 0, max: OUTAGE_POOL },
    acquireConnectionTimeout: REQUEST_MS,
  });
  const insert = insertOf(who);
  return {
    read: async () => {
      const rows = await builder<WordRow>('outage_words')
        .select('word')
        .orderBy('id')
        .timeout(REQUEST_MS);
      return rows.map(({ word }) => word);
    },
    write: (op) => rawTold(builder.raw(insert, [op, 1]).timeout(REQUEST_MS)),
    transfer: (op) =>
      rawTold(
        builder.transaction(async (transaction) => {
          await transaction.raw(insert, [op, 1]).timeout(REQUEST_MS);
          await sleep(BETWEEN_MS);
          await transaction.raw(insert, [op, 2]).timeout(REQUEST_MS);
        }),
      ),
    leak: async () => {
      const transaction = await builder.transaction();
      return () => transaction.rollback();
    },
    close: () => builder.destroy(),
  };
}
