import type { Database } from '@dal/factory';
import { z } from 'zod';

/** What a request may take of the database. */
export interface Limits {
  readonly timeoutMs: number;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

const order = z.strictObject({
  id: z.int().min(1),
  item: z.string().trim().min(1).max(40),
  amount: z.int().min(1).max(1_000),
});
const idInPath = z.coerce.number().int().min(1);

export class OrderNotFoundError extends Error {}

/** All that the service asks of its database, and nothing of HTTP. */
export class Orders {
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
  }

  static async open(db: Database): Promise<Orders> {
    const { integer } = db.dialect.types;
    await db.execute(
      `CREATE TABLE IF NOT EXISTS service_orders (id ${integer} PRIMARY KEY, item VARCHAR(40) NOT NULL, amount ${integer} NOT NULL, paid ${integer} NOT NULL)`,
    );
    return new Orders(db);
  }

  /** @throws ZodError @throws OrderNotFoundError @throws DalError */
  async one(id: unknown, limits: Limits): Promise<unknown> {
    const text = 'SELECT id, item, amount, paid FROM service_orders WHERE id = ?';
    const found = await this.#db.queryOne(text, [idInPath.parse(id)], limits);
    if (found === undefined) throw new OrderNotFoundError(`There is no order ${String(id)}.`);
    return found;
  }

  /** @throws ZodError @throws DalError `unique` when there is such an order */
  async place(body: unknown, limits: Limits): Promise<unknown> {
    const { id, item, amount } = order.parse(body);
    const text = 'INSERT INTO service_orders (id, item, amount, paid) VALUES (?, ?, ?, 0)';
    await this.#db.execute(text, [id, item, amount], limits);
    return { id, item, amount, paid: 0 };
  }

  /** @throws ZodError @throws OrderNotFoundError @throws DalError */
  async pay(id: unknown, limits: Limits): Promise<unknown> {
    const key = idInPath.parse(id);
    // The time is for all of it, attempts after a deadlock included.
    await this.#db.transaction(
      (tx) => tx.execute('UPDATE service_orders SET paid = 1 WHERE id = ?', [key]),
      { ...limits, retries: 3 },
    );
    return this.one(id, limits);
  }

  isHealthy(): Promise<boolean> {
    return this.#db.isHealthy({ timeoutMs: 1_000 });
  }
}
