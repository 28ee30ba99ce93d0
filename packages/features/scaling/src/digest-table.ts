import type { AttemptMessage, Dialect, ObservedDatabase } from '@dal/core';
import { type Digest, digestOf, type DigestsOptions } from './digest.ts';
import { LogHistogram } from './log-histogram.ts';
import { readDigestsOptions } from './scaling-options.ts';
import { TextCache } from './text-cache.ts';

/** More are counted together, as `(other)`. */
const MOST_DIGESTS = 500;
const OTHER = { id: '(other)', text: '(other)' };

/** What is counted of one digest on one database. */
export class DigestCounts {
  readonly id: string;
  readonly text: string;
  readonly database: string;
  readonly #times = new LogHistogram();
  #errors = 0;
  #rows = 0;
  #totalMs = 0;
  #maxMs = 0;

  constructor({ id, text }: { readonly id: string; readonly text: string }, database: string) {
    this.id = id;
    this.text = text;
    this.database = database;
  }

  get isOther(): boolean {
    return this.id === OTHER.id;
  }

  get count(): number {
    return this.#times.count;
  }

  get totalMs(): number {
    return this.#totalMs;
  }

  record({ durationMs = 0, result, error }: AttemptMessage): void {
    this.#times.record(durationMs);
    this.#totalMs += durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
    if (error) this.#errors++;
    // A row that is changed and given back is one.
    if (result) this.#rows += Math.max(result.rowCount, result.affectedRows);
  }

  read(): Digest {
    const { id, text, database } = this;
    const { count } = this.#times;
    // The end of a bucket may lie behind the longest of all.
    const quantile = (share: number): number =>
      Math.min(this.#times.quantileMs(share) ?? 0, this.#maxMs);
    return {
      id,
      text,
      database,
      count,
      errors: this.#errors,
      rows: this.#rows,
      totalMs: this.#totalMs,
      meanMs: count === 0 ? 0 : this.#totalMs / count,
      p50Ms: quantile(0.5),
      p95Ms: quantile(0.95),
      p99Ms: quantile(0.99),
      maxMs: this.#maxMs,
    };
  }
}

interface OfDatabase {
  readonly dialect: Dialect;
  /** By the text as it was written. */
  readonly known: TextCache<DigestCounts>;
  readonly byId: Map<string, DigestCounts>;
}

/** The digests of all databases. Those of one that was closed stay. */
export class DigestTable {
  readonly #databases = new Map<string, OfDatabase>();
  #size = 0;

  record(message: AttemptMessage): DigestCounts {
    const counts = this.countsOf(message);
    counts.record(message);
    return counts;
  }

  /** Where a message belongs that may be under way yet. */
  countsOf({ database, statement }: AttemptMessage): DigestCounts {
    return this.#countsOf(database, statement);
  }

  /** @throws ConfigError for a wrong option */
  top(options: DigestsOptions = {}): Digest[] {
    const { top = 20, database } = readDigestsOptions(options);
    return [...this.#databases.values()]
      .flatMap(({ byId }) => [...byId.values()])
      .filter((counts) => counts.count > 0 && [undefined, counts.database].includes(database))
      .toSorted((a, b) => b.totalMs - a.totalMs)
      .slice(0, top)
      .map((counts) => counts.read());
  }

  #countsOf({ name, pool }: ObservedDatabase, statement: string): DigestCounts {
    const { dialect } = pool;
    let own = this.#databases.get(name);
    if (own?.dialect.name !== dialect.name) {
      own = { dialect, known: new TextCache(), byId: own?.byId ?? new Map() };
      this.#databases.set(name, own);
    }
    let counts = own.known.get(statement);
    if (!counts) {
      counts = this.#find(own, name, digestOf(statement, dialect));
      own.known.set(statement, counts);
    }
    return counts;
  }

  #find(own: OfDatabase, name: string, digest: { id: string; text: string }): DigestCounts {
    const found = own.byId.get(digest.id);
    if (found) return found;
    const isRoom = this.#size < MOST_DIGESTS;
    const wanted = isRoom ? digest : OTHER;
    let counts = own.byId.get(wanted.id);
    if (!counts) own.byId.set(wanted.id, (counts = new DigestCounts(wanted, name)));
    if (isRoom) this.#size++;
    return counts;
  }
}
