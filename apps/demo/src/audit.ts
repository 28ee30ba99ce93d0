import type { Database } from '@dal/core';
import type { Shop } from './shop.ts';

export interface Audit {
  readonly passed: boolean;
  readonly sumCents: bigint;
  readonly orders: number;
  /** What does not fit, in words. */
  readonly faults: readonly string[];
}

/**
 * Counts the money. Three things must fit: the sum is what it was at the start, every account holds
 * its start plus and minus its orders, and there are as many orders as were committed.
 */
export async function audit(db: Database, shop: Shop, committed: number): Promise<Audit> {
  const accounts = await db.query<{ id: number; cents: unknown }>(
    `SELECT id, cents FROM ${shop.accounts}`,
  );
  const expected = new Map(
    accounts.map(({ id }) => [id, shop.startCents / BigInt(accounts.length)]),
  );
  const add = (account: number, cents: bigint): void => {
    expected.set(account, (expected.get(account) ?? 0n) + cents);
  };
  let orders = 0;
  const keys = new Set<string>();
  const books = db.stream<BookedOrder>(
    `SELECT order_key, from_account, to_account, cents FROM ${shop.orders}`,
  );
  for await (const batch of books) {
    for (const { order_key: key, from_account: from, to_account: to, cents } of batch) {
      orders += 1;
      keys.add(key);
      add(from, -integer(cents));
      add(to, integer(cents));
    }
  }
  const sumCents = accounts.reduce((sum, { cents }) => sum + integer(cents), 0n);
  const faults = [
    ...(sumCents === shop.startCents
      ? []
      : [`${sumCents} cents, but ${shop.startCents} at the start`]),
    ...(orders === committed ? [] : [`${orders} orders, but ${committed} were committed`]),
    ...(keys.size === orders ? [] : [`${orders - keys.size} orders are there twice`]),
    ...accounts
      .filter(({ id, cents }) => integer(cents) !== expected.get(id))
      .map(({ id }) => `account ${id} does not hold what its orders say`),
  ];
  return { passed: faults.length === 0, sumCents, orders, faults };
}

interface BookedOrder {
  readonly order_key: string;
  readonly from_account: number;
  readonly to_account: number;
  readonly cents: unknown;
}

function integer(value: unknown): bigint {
  return BigInt(String(value));
}
