import { type Database, isDalError } from '@dal/core';
import { createDatabase, type CreateOptions } from '@dal/factory';
import { dalDialect } from '@dal/kysely';
import SqliteDatabase from 'better-sqlite3';
import { type Dialect, Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import Cursor from 'pg-cursor';
import { inject } from 'vitest';

export type Engine = ReturnType<typeof inject<'engines'>>[number];
/** Tables come and go in these tests, so that there is no type of all of them. */
// oxlint-disable-next-line typescript/no-explicit-any -- Kysely's own word for it
export type AnyTables = any;

/** Kysely over its own driver of the engine, as its documentation sets it up. */
export function overOwnDriver(engine: Engine, max = 5): Kysely<AnyTables> {
  return new Kysely({ dialect: ownDialect(engine, max) });
}

function ownDialect({ name, url }: Engine, max: number): Dialect {
  switch (name) {
    case 'postgres': {
      const pool = new Pool({ connectionString: url, max });
      // Without it, a connection that is lost while it idles ends the program.
      pool.on('error', () => undefined);
      return new PostgresDialect({ pool, cursor: Cursor });
    }
    case 'sqlite':
      return new SqliteDialect({ database: new SqliteDatabase(url.slice('sqlite:'.length)) });
    default:
      return new MysqlDialect({
        pool: createPool({ uri: url.replace('mariadb:', 'mysql:'), connectionLimit: max }),
      });
  }
}

/** Kysely over a database of the layer. */
export async function overDal(
  { url }: Engine,
  options: CreateOptions = {},
): Promise<{ readonly db: Database; readonly kysely: Kysely<AnyTables> }> {
  const db = await createDatabase(url, { pool: { max: 5 }, ...options });
  return { db, kysely: new Kysely({ dialect: dalDialect(db) }) };
}

const DATABASE = 'kysely_examples';

/**
 * Kysely's migrations ask PostgreSQL for every table that there is, which fails while tests beside this one
 * drop some.
 */
export async function ownDatabase(engine: Engine): Promise<Engine> {
  if (engine.name !== 'postgres') return engine;
  await dropDatabase(engine);
  await say(engine, `CREATE DATABASE ${DATABASE}`);
  const url = new URL(engine.url);
  url.pathname = DATABASE;
  return { ...engine, url: url.href };
}

export async function dropDatabase(engine: Engine): Promise<void> {
  if (engine.name !== 'postgres') return;
  await say(engine, `DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
}

async function say({ url }: Engine, text: string): Promise<void> {
  await using db = await createDatabase(url);
  await db.execute(text);
}

/** What was answered, in a form in which everything that differs is seen: classes too, but of rows. */
export function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value === undefined) return 'undefined';
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array)
    return `${value.constructor.name} ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(shown);
  if (value instanceof Error) return errorShown(value);
  if (typeof value !== 'object' || value === null) return value;
  const known = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(known.map(([key, part]) => [key, shown(part)]));
}

function errorShown(error: Error): unknown {
  const { name, code, message } = error as Error & { readonly code?: unknown };
  return { name, code, message: isDalError(error) ? 'of the layer' : message };
}

export function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => error,
  );
}
