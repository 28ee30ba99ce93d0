import { randomUUID } from 'node:crypto';
import {
  type DalError,
  type Deadline,
  type Dialect,
  quoteIdentifier,
  TransactionError,
} from '@dal/core';
import type { Lease, Session } from '@dal/pool';
import { type CompiledStatement, compileStatement } from './compile-statement.ts';
import type { Level, OpenTransaction } from './open-transaction.ts';
import { runOnLease } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { toDalError } from './to-dal-error.ts';

/** A session's row in the table of marks: it counts the session's commits, in the transactions themselves. */
export interface CommitMark {
  readonly key: string;
  /** What the row says once the transaction that is open now is committed. */
  readonly next: number;
  /** To be called when it is. */
  settled(): void;
}

/** Rows that were not used for so long are swept; their sessions would get another one. */
const KEEP_MS = 86_400_000;
const SWEEP_EVERY_MS = 3_600_000;
const SWEEP_ROWS = 200;

/** Of the sessions that have a row. */
const rows = new WeakMap<Session, { readonly key: string; count: number }>();
const sweptAt = new WeakMap<Runtime, number>();

/**
 * Sees that the session has a row, which is made outside of any transaction: only a row that others
 * can see can be waited for.
 */
export async function prepareMark(
  runtime: Runtime,
  lease: Lease,
  table: string,
  deadline: Deadline,
): Promise<CommitMark> {
  const { session } = lease;
  let row = rows.get(session);
  if (!row) {
    row = { key: randomUUID(), count: 0 };
    const words = markWords(runtime.driver.dialect, table);
    const send = (text: string, values: readonly unknown[] = []): Promise<unknown> =>
      runOnLease(runtime, lease, marked(runtime, text, values), deadline);
    await insertRow(runtime, table, words, row.key, send);
    rows.set(session, row);
    await sweep(runtime, lease, words, deadline);
  }
  const own = row;
  const next = own.count + 1;
  return { key: own.key, next, settled: () => (own.count = next) };
}

/** Counts in the session's row, inside the transaction. */
export async function writeMark(
  open: OpenTransaction,
  { key, next }: CommitMark,
  level: Level,
): Promise<void> {
  const { runtime, lease } = open;
  const { write } = markWords(runtime.driver.dialect, runtime.settings.commitTable ?? '');
  const statement = marked(runtime, write, [next, Date.now(), key]);
  const { affectedRows } = await open.run(statement, open.wordDeadline(), level);
  if (affectedRows === 1) return;
  rows.delete(lease.session);
  throw new TransactionError(
    `The row of this session in the commit table of "${runtime.name}" is gone, so the outcome of this transaction could not be looked up. It was rolled back; the next one gets another row.`,
    {
      kind: 'serialization',
      code: 'DAL_COMMIT_TABLE',
      fault: { kind: 'serialization', applied: 'no' },
    },
  );
}

/** The texts for one table; `?` for values, whatever the engine. */
export interface MarkWords {
  readonly create: string;
  readonly insert: string;
  /** Values: count, now, key. */
  readonly write: string;
  /** Waits for the transaction that wrote the row last. Value: key. */
  readonly lock: string;
  readonly read: string;
  readonly old: string;
  readonly remove: string;
}

export function markWords(dialect: Dialect, name: string): MarkWords {
  const table = name
    .split('.')
    .map((part) => quoteIdentifier(part, dialect))
    .join('.');
  const { key, bigint } = dialect.types;
  return {
    create: `CREATE TABLE IF NOT EXISTS ${table} (id ${key} NOT NULL PRIMARY KEY, commits ${bigint} NOT NULL, used_at ${bigint} NOT NULL)`,
    insert: `INSERT INTO ${table} (id, commits, used_at) VALUES (?, 0, ?)`,
    write: `UPDATE ${table} SET commits = ?, used_at = ? WHERE id = ?`,
    lock: `UPDATE ${table} SET commits = commits WHERE id = ?`,
    read: `SELECT commits FROM ${table} WHERE id = ?`,
    old: `SELECT id FROM ${table} WHERE used_at < ? LIMIT ${SWEEP_ROWS}`,
    remove: `DELETE FROM ${table} WHERE id = ? AND used_at < ?`,
  };
}

export function marked(
  runtime: Runtime,
  text: string,
  values: readonly unknown[],
): CompiledStatement {
  return compileStatement(runtime.plans, text, values, undefined);
}

async function insertRow(
  { driver, name }: Runtime,
  table: string,
  { insert, create }: MarkWords,
  key: string,
  send: (text: string, values?: readonly unknown[]) => Promise<unknown>,
): Promise<void> {
  const add = (): Promise<unknown> => send(insert, [key, Date.now()]);
  try {
    await add();
    return;
  } catch (error) {
    if (toDalError(driver, name, error).kind !== 'schema') throw error;
  }
  // Another session may be making it in the same moment, so the row decides.
  const failure = await send(create).then(
    () => undefined,
    (error: unknown) => toDalError(driver, name, error),
  );
  try {
    await add();
  } catch (error) {
    throw failure ? noTable(name, table, create, failure) : error;
  }
}

function noTable(name: string, table: string, ddl: string, cause: DalError): TransactionError {
  return new TransactionError(
    `The commit table "${table}" of "${name}" does not exist and could not be made. Make it once, by a user who may: ${ddl}`,
    { kind: cause.kind, code: 'DAL_COMMIT_TABLE', cause },
  );
}

/** Takes away rows of sessions that are long gone; one by one, so that nobody waits for a lock. */
async function sweep(
  runtime: Runtime,
  lease: Lease,
  { old, remove }: MarkWords,
  deadline: Deadline,
): Promise<void> {
  const now = performance.now();
  if (now - (sweptAt.get(runtime) ?? -Infinity) < SWEEP_EVERY_MS) return;
  sweptAt.set(runtime, now);
  const before = Date.now() - KEEP_MS;
  try {
    const { rows: found } = await runOnLease(
      runtime,
      lease,
      marked(runtime, old, [before]),
      deadline,
    );
    for (const { id } of found as { id: unknown }[]) {
      await runOnLease(runtime, lease, marked(runtime, remove, [id, before]), deadline);
    }
  } catch {
    // The rows are small; another session tries again in an hour.
  }
}
