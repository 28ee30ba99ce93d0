import { type Database, isDalError } from '@dal/core';
import { createDatabase, type CreateOptions } from '@dal/factory';
import { dalClient } from '@dal/knex';
import knex, { type Knex } from 'knex';
import { inject } from 'vitest';

export type Engine = ReturnType<typeof inject<'engines'>>[number];

/** Knex warns of what is no matter here. */
export const QUIET = {
  useNullAsDefault: true,
  log: { warn: () => undefined },
} satisfies Knex.Config;

/** Knex with its own pool and driver of the engine, as its documentation sets it up. */
export function overOwnDriver({ name, url }: Engine, max = 5): Knex {
  switch (name) {
    case 'postgres':
      return knex({ ...QUIET, client: 'pg', connection: url, pool: { min: 0, max } });
    case 'sqlite':
      return knex({
        ...QUIET,
        client: 'better-sqlite3',
        connection: { filename: url.slice('sqlite:'.length) },
      });
    default: {
      const connection = url.replace('mariadb:', 'mysql:');
      return knex({ ...QUIET, client: 'mysql2', connection, pool: { min: 0, max } });
    }
  }
}

/** Knex over a database of the layer. */
export async function overDal(
  { url }: Engine,
  options: CreateOptions = {},
): Promise<{ readonly db: Database; readonly ours: Knex }> {
  const db = await createDatabase(url, { pool: { max: 5 }, ...options });
  return { db, ours: knex({ ...QUIET, client: dalClient(db) }) };
}

/** What was answered, in a form in which everything that differs is seen: classes too, but of rows. */
export function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (value === undefined) return 'undefined';
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array) {
    return `${value.constructor.name} ${Buffer.from(value).toString('hex')}`;
  }
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

export function caught(work: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(work).then(
    () => 'no error',
    (error: unknown) => error,
  );
}
