import { StatementCache, type StatementCacheStats } from '@dal/core';
import type { RowShape } from './row-shape.ts';

/** What is known of one name on one session. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
  /**
   * `new`: never sent. `ready`: the server has it. `doubtful`: a failure left that open, so the name
   * is closed before it is prepared again (closing an unknown name is no error).
   */
  state: 'new' | 'ready' | 'doubtful';
  /** Known from the first run on, so the description isn't asked for again. */
  shape: RowShape | undefined;
}

/** The statements that a session's server holds for us. */
export class PreparedStatements {
  readonly #cache: StatementCache<PreparedStatement> | undefined;
  /** Names to close together with the next statement, which costs no round trip of its own. */
  #closing: string[] = [];

  /** `limit`: 0 for none; undefined for a number that follows the use. */
  constructor(limit?: number) {
    if (limit === 0) return;
    this.#cache = new StatementCache({
      ...(limit === undefined ? {} : { initial: limit, min: limit, max: limit }),
      onEvict: ({ name, state }) => {
        if (state !== 'new') this.#closing.push(name);
      },
    });
  }

  /** Undefined when the text is not to be prepared. */
  take(name: string, text: string): PreparedStatement | undefined {
    const cache = this.#cache;
    if (cache === undefined) return undefined;
    const known = cache.get(name);
    if (known !== undefined && known.text === text) return known;
    if (!cache.takes(text)) return undefined;
    const state = known === undefined ? 'new' : 'doubtful';
    const statement: PreparedStatement = { name, text, state, shape: undefined };
    cache.put(name, statement);
    return statement;
  }

  /** For a statement that travels together with another, which it must not push out. */
  takeBeside(name: string, text: string): PreparedStatement | undefined {
    return this.stats().capacity < 2 ? undefined : this.take(name, text);
  }

  /** The names to close now, or undefined when there are none. */
  takeClosing(): readonly string[] | undefined {
    if (this.#closing.length === 0) return undefined;
    const names = this.#closing;
    this.#closing = [];
    return names;
  }

  /** After DISCARD ALL: the server holds nothing any more. */
  clear(): void {
    this.#cache?.clear();
    this.#closing = [];
  }

  stats(): StatementCacheStats {
    return this.#cache?.stats() ?? { size: 0, capacity: 0, hits: 0, misses: 0, evictions: 0 };
  }
}
