import { setTimeout as sleep } from 'node:timers/promises';
import { CommitOutcomeUnknownError, type Database, isDalError } from '@dal/core';
import type { EngineWords } from './engine-words.ts';
import { Latencies } from './latencies.ts';
import type { Order, Shop } from './shop.ts';

/** Nobody tries one order more often than this. */
const MAX_TRIES = 20;
/** Between two tries while there is no server. */
const AWAY_MS = 100;
/** Between two orders of a worker that goes on for hours. */
const CALM_MS = 20;

/** Kinds after which an order may be tried again, once it is known not to be in the books. */
const PASSING = new Set([
  'connection',
  'notReady',
  'overloaded',
  'deadlock',
  'serialization',
  'lockTimeout',
  'statementTimeout',
]);

/** Workers that place orders, one after another, until they are told to stop. */
export class Workload {
  readonly orders: Latencies = new Latencies();
  readonly reads: Latencies = new Latencies();
  /** Orders whose transaction ended without a clear answer, so that the books were asked. */
  lookedUp = 0;
  /** Orders that an account could not pay. */
  refused = 0;
  /** The first error that should not have come; it ends the work. */
  failure: Error | undefined;
  readonly #db: Database;
  readonly #shop: Shop;
  readonly #words: EngineWords;
  readonly #forHours: boolean;
  #stopping = false;
  #workers: Promise<void>[] = [];

  /** @param forHours it is calmer then, and outlives every outage of the server */
  constructor(db: Database, shop: Shop, words: EngineWords, forHours: boolean) {
    this.#db = db;
    this.#shop = shop;
    this.#words = words;
    this.#forHours = forHours;
  }

  start(workers: number): void {
    this.#workers = Array.from({ length: workers }, (_, index) => this.#work(index + 1));
  }

  /** Ends when every running transaction has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
  }

  async #work(worker: number): Promise<void> {
    try {
      for (let count = 1; !this.#stopping; count++) {
        await this.#settle(this.#shop.makeOrder(`${worker}-${count}`));
        if (count % 3 === 0) await this.#read();
        if (this.#forHours) await sleep(CALM_MS);
      }
    } catch (error) {
      this.failure ??= error instanceof Error ? error : new Error(String(error));
      this.#stopping = true;
    }
  }

  /** Places an order exactly once, whatever happens on the way. */
  async #settle(order: Order): Promise<void> {
    const startedAt = performance.now();
    let inDoubt = false;
    for (let tries = 1; ; tries++) {
      try {
        if (inDoubt && (await this.#shop.isPlaced(this.#db, order.key))) break;
        inDoubt = false;
        await this.#place(order);
        break;
      } catch (error) {
        if (isDalError(error) && error.kind === 'check') {
          this.refused += 1;
          return;
        }
        const isPatient = this.#forHours && !this.#stopping;
        if (!mayPass(error) || (tries >= MAX_TRIES && !isPatient)) throw error;
        if (!inDoubt) this.lookedUp += 1;
        inDoubt = true;
        if (isAway(error)) await sleep(AWAY_MS);
      }
    }
    this.orders.record(performance.now() - startedAt);
  }

  async #place(order: Order): Promise<void> {
    const { transaction, locksInOrder } = this.#words;
    await this.#db.transaction((tx) => this.#shop.place(tx, order, locksInOrder), {
      ...transaction,
      retries: 10,
    });
  }

  async #read(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#shop.balanceOf(this.#db, this.#shop.anyAccount());
    } catch (error) {
      if (this.#forHours && isAway(error)) return;
      throw error;
    }
    this.reads.record(performance.now() - startedAt);
  }
}

function isAway(error: unknown): boolean {
  return isDalError(error) && (error.kind === 'connection' || error.kind === 'notReady');
}

function mayPass(error: unknown): boolean {
  if (error instanceof CommitOutcomeUnknownError) return true;
  // A key that is there already: the COMMIT that was cut off came through after the look.
  return isDalError(error) && (PASSING.has(error.kind) || error.kind === 'unique');
}
