import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, isDalError } from '@dal/core';
import type { SeededRandom } from '../setup/seeded-random.ts';

const WORKERS = 8;
const TIMEOUT_MS = 1_500;

export interface LoadCounts {
  readonly done: number;
  /** With an error of the layer's own, as is right under faults. */
  readonly failed: number;
}

/** Everything that programs do with a database, by eight callers, until it is stopped. */
export class MixedLoad {
  readonly violations: string[] = [];
  readonly #db: Database;
  readonly #random: SeededRandom;
  readonly #counts = { done: 0, failed: 0 };
  /** One signal for the whole run, as a program has one for its shutdown. */
  readonly #shared = new AbortController();
  readonly #workers: Promise<void>[];
  #resting: PromiseWithResolvers<void> | undefined;
  #busy = 0;
  #stopped = false;

  constructor(db: Database, random: SeededRandom) {
    this.#db = db;
    this.#random = random;
    this.#workers = Array.from({ length: WORKERS }, () => this.#work());
  }

  get counts(): LoadCounts {
    return { ...this.#counts };
  }

  /** Listeners on the signal that all statements share; at rest there are none. */
  get listeners(): number {
    return getEventListeners(this.#shared.signal, 'abort').length;
  }

  /** Nobody begins anything new; resolves when all have ended what they do. */
  async rest(): Promise<void> {
    this.#resting = Promise.withResolvers<void>();
    while (this.#busy > 0) await sleep(5);
  }

  goOn(): void {
    this.#resting?.resolve();
    this.#resting = undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.goOn();
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      if (this.#resting) await this.#resting.promise;
      this.#busy++;
      try {
        await this.#random.pick(operations)(this.#db, this.#shared.signal, this.#random);
        this.#counts.done++;
      } catch (error) {
        this.#counts.failed++;
        if (!isDalError(error)) this.violations.push(`an error that is not ours: ${String(error)}`);
      } finally {
        this.#busy--;
      }
      // A caller that fails at once must not do nothing but fail.
      await sleep(1);
    }
  }
}

/** More texts than anything that is kept for each text may keep: from here on it only changes. */
const TEXTS = 2_500;

export async function fillCaches(db: Database): Promise<void> {
  let next = 0;
  const askOn = async (): Promise<void> => {
    while (next < TEXTS) await db.query(`SELECT ${-next++} AS n`);
  };
  await Promise.all(Array.from({ length: WORKERS }, askOn));
}

type Operation = (db: Database, signal: AbortSignal, random: SeededRandom) => Promise<unknown>;

const INSERT = 'INSERT INTO soak_rows (id, word) VALUES (?, ?)';

const operations: readonly Operation[] = [
  (db, signal) =>
    db.query('SELECT id, word FROM soak_fixed WHERE id <= 20', [], {
      timeoutMs: TIMEOUT_MS,
      signal,
    }),
  // As many texts as there are numbers, so that nothing that is kept for each text may grow for ever.
  (db, _, random) =>
    db.query(`SELECT ${random.between(1, 1_000_000)} AS n`, [], { timeoutMs: TIMEOUT_MS }),
  (db, signal, random) =>
    db.execute(INSERT, [random.between(1, 1_000), 'a word'], { timeoutMs: TIMEOUT_MS, signal }),
  (db, signal, random) =>
    db.transaction(
      async (tx) => {
        await tx.execute(INSERT, [random.between(1, 1_000), 'first']);
        await tx.execute('DELETE FROM soak_rows WHERE id = ?', [random.between(1, 1_000)]);
      },
      { timeoutMs: TIMEOUT_MS, signal, retries: 2 },
    ),
  async (db, signal) => {
    let seen = 0;
    for await (const row of db.stream('SELECT id, word FROM soak_fixed', [], {
      timeoutMs: TIMEOUT_MS,
      signal,
      batchSize: 50,
    })) {
      if (row && ++seen === 120) break;
    }
  },
  (db) =>
    db.bulkInsert(
      'soak_rows',
      Array.from({ length: 20 }, (_, id) => ({ id, word: 'bulk' })),
      { timeoutMs: TIMEOUT_MS },
    ),
  async (db, signal) => {
    await using connection = await db.acquire({ timeoutMs: TIMEOUT_MS, signal });
    await connection.query('SELECT 1', [], { timeoutMs: TIMEOUT_MS });
    await connection.query('SELECT 2', [], { timeoutMs: TIMEOUT_MS });
  },
  // Given up before it is done: the deadline, and the caller's own signal.
  (db) => db.query(slow(db), [], { timeoutMs: 20 }),
  async (db, _, random) => {
    const giveUp = new AbortController();
    const running = db.query(slow(db), [], { timeoutMs: TIMEOUT_MS, signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), random.between(0, 20));
    await running;
  },
];

function slow(db: Database): string {
  return db.dialect.name === 'postgres' ? 'SELECT pg_sleep(0.2)' : 'SELECT SLEEP(0.2)';
}
