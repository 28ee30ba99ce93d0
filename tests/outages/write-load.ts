import type { Database } from '@dal/core';

/** Writers that number what they write, and remember what was acknowledged. */
export class WriteLoad {
  readonly acknowledged: { op: number; at: number }[] = [];
  readonly failed: { op: number; error: { kind?: string; message: string } }[] = [];
  readonly #db: Database;
  readonly #table: string;
  #op = 0;
  #running = true;
  readonly #writers: Promise<void>[];

  constructor(db: Database, table: string, writers: number, timeoutMs: number) {
    this.#db = db;
    this.#table = table;
    this.#writers = Array.from({ length: writers }, () => this.#write(timeoutMs));
  }

  /** The first write that began after this moment and was acknowledged. */
  async firstSince(moment: number): Promise<number> {
    for (;;) {
      const first = this.acknowledged.find(({ at }) => at > moment);
      if (first) return first.at;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#writers);
  }

  async #write(timeoutMs: number): Promise<void> {
    while (this.#running) {
      const op = this.#op++;
      try {
        await this.#db.execute(`INSERT INTO ${this.#table} (op) VALUES (?)`, [op], { timeoutMs });
        this.acknowledged.push({ op, at: performance.now() });
      } catch (error) {
        this.failed.push({ op, error: error as { kind?: string; message: string } });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      // A load, not a benchmark.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** The numbers that are in the table, and how often the most frequent one is. */
export async function readLedger(
  db: Database,
  table: string,
): Promise<{ ops: Set<number>; rows: number }> {
  const rows = await db.query<{ op: number }>(`SELECT op FROM ${table}`);
  return { ops: new Set(rows.map(({ op }) => op)), rows: rows.length };
}
