/** Counts of a cache of prepared statements. */
export interface StatementCacheStats {
  /** Statements that are prepared now. */
  readonly size: number;
  /** How many there may be; moves between the cache's limits with the hit ratio. */
  readonly capacity: number;
  readonly hits: number;
  readonly misses: number;
  /** Statements that gave way to others and were closed on the server. */
  readonly evictions: number;
}

export interface StatementCacheOptions<Statement> {
  /** Capacity at the beginning. Default: 100. */
  readonly initial?: number;
  /** The capacity never shrinks below it. Default: 50, or `initial` when that is less. */
  readonly min?: number;
  /** The capacity never grows beyond it. Default: 500, or `initial` when that is more. */
  readonly max?: number;
  /** Longer texts are not kept: they are rarely sent twice. Default: 15,360 characters. */
  readonly maxTextLength?: number;
  /**
   * A statement older than that is prepared anew, so that a plan that was made for other data doesn't
   * stay for ever; 0: never. The age is looked at in one lookup of 16. Default: 300 s.
   */
  readonly lifetimeMs?: number;
  /** Called with what gave way to others or grew too old, so that it can be closed on the server. */
  readonly onEvict?: (statement: Statement) => void;
  /** Default: `Date.now`; when it jumps, statements are prepared a little too early or too late. */
  readonly now?: () => number;
}

/**
 * The prepared statements of one session, by text or by name: the least recently used one gives way
 * beyond the capacity, which follows the use.
 *
 * For one owner: a session runs one statement at a time.
 */
export class StatementCache<Statement> {
  readonly #min: number;
  readonly #max: number;
  readonly #maxTextLength: number;
  readonly #lifetimeMs: number;
  readonly #onEvict: (statement: Statement) => void;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<Statement>>();
  #capacity: number;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  /** Counts lookups, and so orders the uses. */
  #tick = 0;
  #period: Period = { sinceTick: 0, misses: 0, evictions: 0 };

  constructor(options: StatementCacheOptions<Statement> = {}) {
    const { initial = 100, lifetimeMs = 300_000 } = options;
    this.#capacity = Math.max(1, initial);
    this.#min = Math.max(1, Math.min(options.min ?? 50, initial));
    this.#max = Math.max(this.#capacity, options.max ?? 500);
    this.#maxTextLength = options.maxTextLength ?? 15_360;
    this.#lifetimeMs = lifetimeMs === 0 ? Infinity : lifetimeMs;
    this.#onEvict = options.onEvict ?? ignore;
    this.#now = options.now ?? Date.now;
  }

  /** The statement, which now counts as used; undefined when it must be prepared (again). */
  get(key: string): Statement | undefined {
    const tick = ++this.#tick;
    if (tick - this.#period.sinceTick >= this.#capacity * PERIOD) this.#adapt();
    const entry = this.#entries.get(key);
    if (entry !== undefined && !((tick & AGE_MASK) === 0 && this.#isOld(entry))) {
      entry.usedAt = tick;
      this.#hits++;
      return entry.statement;
    }
    this.#misses++;
    this.#period.misses++;
    if (entry !== undefined && this.#entries.delete(key)) this.#onEvict(entry.statement);
    return undefined;
  }

  /** True when a text is short enough to be kept. */
  takes(text: string): boolean {
    return text.length <= this.#maxTextLength;
  }

  /** Keeps a statement; false when its key is too long to be kept. What was there is forgotten. */
  put(key: string, statement: Statement): boolean {
    if (!this.takes(key)) return false;
    if (!this.#entries.has(key)) this.#makeRoom(this.#capacity - 1);
    this.#entries.set(key, { key, statement, since: this.#now(), usedAt: this.#tick });
    return true;
  }

  /** Forgets a statement that the server doesn't hold any more; nothing is closed. */
  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** Forgets all, when the server has forgotten them too; nothing is closed. */
  clear(): void {
    this.#entries.clear();
  }

  get hits(): number {
    return this.#hits;
  }

  get misses(): number {
    return this.#misses;
  }

  get evictions(): number {
    return this.#evictions;
  }

  /** Of all lookups, from 0 to 1; 0 before the first. */
  get hitRatio(): number {
    const lookups = this.#hits + this.#misses;
    return lookups === 0 ? 0 : this.#hits / lookups;
  }

  stats(): StatementCacheStats {
    return {
      size: this.#entries.size,
      capacity: this.#capacity,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
    };
  }

  /**
   * Looks back at the last period. Statements that pushed each other out while few were found:
   * doubled. Nothing pushed out, and less than half of the room used: a quarter less, which still
   * holds all that were used.
   */
  #adapt(): void {
    const { sinceTick, misses, evictions } = this.#period;
    const lookups = this.#tick - sinceTick;
    this.#period = { sinceTick: this.#tick, misses: 0, evictions: 0 };
    if (evictions > lookups * MANY_EVICTIONS && misses > lookups * MANY_MISSES) {
      this.#capacity = Math.min(this.#max, this.#capacity * 2);
      return;
    }
    if (evictions > 0) return;
    let used = 0;
    for (const entry of this.#entries.values()) if (entry.usedAt > sinceTick) used++;
    if (used >= this.#capacity / 2) return;
    this.#capacity = Math.max(this.#min, Math.floor(this.#capacity * 0.75));
    this.#makeRoom(this.#capacity);
  }

  #isOld(entry: Entry<Statement>): boolean {
    return this.#now() - entry.since >= this.#lifetimeMs;
  }

  #makeRoom(size: number): void {
    while (this.#entries.size > size) {
      const oldest = this.#leastRecentlyUsed();
      if (oldest === undefined) return;
      this.#entries.delete(oldest.key);
      this.#evictions++;
      this.#period.evictions++;
      this.#onEvict(oldest.statement);
    }
  }

  /** A look through all of them: a use then costs one number, and what gives way costs a round trip. */
  #leastRecentlyUsed(): Entry<Statement> | undefined {
    let oldest: Entry<Statement> | undefined;
    for (const entry of this.#entries.values()) {
      if (oldest === undefined || entry.usedAt < oldest.usedAt) oldest = entry;
    }
    return oldest;
  }
}

/** A look at the clock costs as much as all the rest of a lookup; it is taken in one of 16. */
const AGE_MASK = 15;
/** A period lasts for as many lookups as there is room, times this. */
const PERIOD = 5;
/** Parts of the lookups of a period. */
const MANY_EVICTIONS = 0.1;
const MANY_MISSES = 0.2;

interface Entry<Statement> {
  readonly key: string;
  readonly statement: Statement;
  readonly since: number;
  usedAt: number;
}

interface Period {
  sinceTick: number;
  misses: number;
  evictions: number;
}

function ignore(): void {
  // Nothing has to be closed.
}
