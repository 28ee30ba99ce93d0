import { type Database, durationMs, readOptions, type ServerCapacity } from '@dal/core';
import type { Headroom } from './facts.ts';

export interface HeadroomOptions {
  /** How often the server is asked. Milliseconds or a text. Default: 60 s. */
  readonly everyMs?: number | string;
}

/** A pool that is short of connections has none to spare for questions. */
const PATIENCE_MS = 1_000;
/** What was heard is believed for so many rounds. */
const BELIEVED_ROUNDS = 3;

/** Asks a server now and then how many places it has left. */
export class HeadroomProbe implements Disposable {
  readonly #db: Database;
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;
  #heard: { readonly headroom: Headroom; readonly at: number } | undefined;
  #isAsking = false;

  /** @throws ConfigError for a wrong option */
  constructor(db: Database, options: HeadroomOptions = {}) {
    const { everyMs = 60_000 } = readOptions('probeHeadroom', { ...options }, readers);
    this.#db = db;
    this.#everyMs = Math.max(100, everyMs);
    this.#timer = setInterval(() => void this.#ask(), this.#everyMs);
    this.#timer.unref();
    void this.#ask();
  }

  /** What the server said last; undefined when it has not answered for long. */
  get headroom(): Headroom | undefined {
    if (this.#heard === undefined) return undefined;
    const age = performance.now() - this.#heard.at;
    return age <= BELIEVED_ROUNDS * this.#everyMs ? this.#heard.headroom : undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const capacity = await askServer(this.#db);
      if (capacity === 'unknown') this[Symbol.dispose]();
      else this.#heard = { headroom: read(capacity), at: performance.now() };
    } catch {
      // A closed database is asked no more; all else is the pool's business, which tells of it itself.
      const { state } = this.#db.status();
      if (state === 'closed' || state === 'closing') this[Symbol.dispose]();
    } finally {
      this.#isAsking = false;
    }
  }
}

async function askServer(db: Database): Promise<ServerCapacity | 'unknown'> {
  let answer: ServerCapacity | 'unknown' = 'unknown';
  // Who gives up is not counted as one who found no connection.
  const signal = AbortSignal.timeout(PATIENCE_MS);
  await db.native.run(
    'places of the server',
    async (connection) => {
      answer = (await connection.capacity?.()) ?? 'unknown';
      return { rows: [], columns: [], affectedRows: 0 };
    },
    { signal },
  );
  return answer;
}

function read({ maxConnections, reserved, used }: ServerCapacity): Headroom {
  return { left: maxConnections - reserved - used, limit: maxConnections };
}

const readers = { everyMs: (value: unknown, where: string) => durationMs(value as number, where) };
