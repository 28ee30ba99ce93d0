import { randomBytes } from 'node:crypto';
import type { Database, Queryable } from '@dal/core';

/** Few accounts, so that everybody wants the same rows. */
const ACCOUNTS = 24;
const START_CENTS = 1_000_000;

export interface Order {
  /** Made by who orders; tells later whether the order is in the books. */
  readonly key: string;
  readonly from: number;
  readonly to: number;
  readonly cents: number;
}

/** The tables of one run. Their names are new, so nothing that was there before is touched. */
export class Shop {
  /** What the names of its tables begin with. */
  readonly name: string;
  readonly accounts: string;
  readonly orders: string;
  readonly #db: Database;

  constructor(db: Database) {
    this.name = `dal_demo_${randomBytes(3).toString('hex')}`;
    this.accounts = `${this.name}_accounts`;
    this.orders = `${this.name}_orders`;
    this.#db = db;
  }

  readonly startCents: bigint = BigInt(ACCOUNTS * START_CENTS);

  async build(): Promise<void> {
    const { types } = this.#db.dialect;
    await this.#db.execute(
      `CREATE TABLE ${this.accounts} (
         id ${types.integer} NOT NULL PRIMARY KEY,
         cents ${types.bigint} NOT NULL CHECK (cents >= 0))`,
    );
    await this.#db.execute(
      `CREATE TABLE ${this.orders} (
         id ${types.autoId},
         order_key ${types.key} NOT NULL UNIQUE,
         from_account ${types.integer} NOT NULL,
         to_account ${types.integer} NOT NULL,
         cents ${types.bigint} NOT NULL,
         placed_at ${types.timestamp} NOT NULL)`,
    );
    const rows = Array.from({ length: ACCOUNTS }, (_, index) => [index + 1, START_CENTS]);
    await this.#db.executeMany(`INSERT INTO ${this.accounts} (id, cents) VALUES (?, ?)`, rows);
  }

  async drop(): Promise<void> {
    await this.#db.execute(`DROP TABLE IF EXISTS ${this.orders}`);
    await this.#db.execute(`DROP TABLE IF EXISTS ${this.accounts}`);
  }

  makeOrder(key: string): Order {
    const from = 1 + Math.floor(Math.random() * ACCOUNTS);
    const to = 1 + ((from + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS);
    return { key, from, to, cents: 1 + Math.floor(Math.random() * 500) };
  }

  /** Moves the money and writes the order down. Belongs into a transaction. */
  async place(tx: Queryable, order: Order, locksInOrder: boolean): Promise<void> {
    const pay = (): Promise<void> => this.#add(tx, order.from, -order.cents);
    const receive = (): Promise<void> => this.#add(tx, order.to, order.cents);
    const steps = locksInOrder && order.to < order.from ? [receive, pay] : [pay, receive];
    for (const step of steps) await step();
    await this.writeDown(tx, order);
  }

  /** Only the books, without the money. */
  async writeDown(tx: Queryable, order: Order): Promise<void> {
    await tx.execute(
      `INSERT INTO ${this.orders} (order_key, from_account, to_account, cents, placed_at)
       VALUES (?, ?, ?, ?, ?)`,
      [order.key, order.from, order.to, order.cents, new Date()],
    );
  }

  async isPlaced(on: Queryable, key: string): Promise<boolean> {
    const text = `SELECT id FROM ${this.orders} WHERE order_key = ?`;
    return (await on.queryOne(text, [key], { idempotent: true })) !== undefined;
  }

  async balanceOf(on: Queryable, account: number): Promise<number> {
    const text = `SELECT cents FROM ${this.accounts} WHERE id = ?`;
    return Number(await on.queryValue(text, [account], { idempotent: true }));
  }

  anyAccount(): number {
    return 1 + Math.floor(Math.random() * ACCOUNTS);
  }

  async #add(tx: Queryable, account: number, cents: number): Promise<void> {
    // The CHECK refuses an account that would owe money.
    const { affectedRows } = await tx.execute(
      `UPDATE ${this.accounts} SET cents = cents + ? WHERE id = ?`,
      [cents, account],
    );
    if (affectedRows !== 1) throw new Error(`Account ${account} is not there.`);
  }
}
