import type { Database } from '@dal/core';
import { type Told, wordOf } from './client.ts';

export const ACCOUNTS = 4;
export const WORDS = 50;

/** Everything that disagrees between what callers were told and what the database holds. */
export interface Audit {
  readonly rows: number;
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  /** There more than once. */
  readonly doubled: readonly string[];
  /** Said to have done nothing, and there all the same. */
  readonly denied: readonly string[];
  /** Of those whose outcome was said to be unknown: how many are there. */
  readonly unknownPresent: number;
  /** What the accounts have more, or less, than the ledger says. */
  readonly imbalance: number;
}

export async function layLedger(db: Database): Promise<void> {
  for (const table of ['chaos_ledger', 'chaos_accounts', 'chaos_words']) {
    await db.execute(`DROP TABLE IF EXISTS ${table}`);
  }
  // Without a key on purpose: a second row of the same operation must be able to appear.
  await db.execute(
    'CREATE TABLE chaos_ledger (op varchar(40) NOT NULL, kind varchar(10) NOT NULL)',
  );
  await db.execute('CREATE TABLE chaos_accounts (id int PRIMARY KEY, balance int NOT NULL)');
  await db.execute('CREATE TABLE chaos_words (id int PRIMARY KEY, word varchar(200) NOT NULL)');
  const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  await db.executeMany(
    'INSERT INTO chaos_accounts VALUES (?, 0)',
    ids(ACCOUNTS).map((id) => [id]),
  );
  await db.executeMany(
    'INSERT INTO chaos_words VALUES (?, ?)',
    ids(WORDS).map((id) => [id, wordOf(id)]),
  );
}

export async function audit(db: Database, told: ReadonlyMap<string, Told>): Promise<Audit> {
  const found = new Map<string, number>();
  const rows = await db.query<{ op: string; kind: string }>('SELECT op, kind FROM chaos_ledger');
  for (const { op } of rows) found.set(op, (found.get(op) ?? 0) + 1);
  const ops = (wanted: Told, wrong: (count: number) => boolean): string[] =>
    [...told].flatMap(([op, said]) => (said === wanted && wrong(found.get(op) ?? 0) ? [op] : []));
  const transfers = rows.filter(({ kind }) => kind === 'transfer').length;
  const balance = Number(await db.queryValue('SELECT SUM(balance) FROM chaos_accounts'));
  return {
    rows: rows.length,
    lost: ops('acknowledged', (count) => count === 0),
    doubled: [...found].flatMap(([op, count]) => (count > 1 ? [op] : [])),
    denied: ops('nothing', (count) => count > 0),
    unknownPresent: ops('unknown', (count) => count > 0).length,
    imbalance: balance - transfers,
  };
}
