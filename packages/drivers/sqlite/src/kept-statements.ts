import { StatementCache, type StatementCacheStats } from '@dal/core';
import type { WireStatement } from './session-messages.ts';
import { isWorthKeeping, statementVerb } from './statement-verb.ts';

export interface KnownStatement {
  /** 0: it isn't kept. */
  readonly number: number;
  readonly verb: string;
}

/**
 * Which statements the session's process keeps prepared. Decided here, so that their texts travel
 * once, and the counts are at hand.
 */
export class KeptStatements {
  readonly #cache: StatementCache<KnownStatement>;
  #forget: number[] = [];
  #last = 0;

  constructor(initial: number) {
    this.#cache = new StatementCache({
      initial,
      // SQLite follows a changed schema and new statistics by itself, so nothing grows too old.
      lifetimeMs: 0,
      onEvict: ({ number }) => this.#forget.push(number),
    });
  }

  /** How to name a statement to the session, and what becomes of it when that went well. */
  find(text: string): { readonly known: KnownStatement; readonly wire: WireStatement } {
    const found = this.#cache.get(text);
    if (found !== undefined) return { known: found, wire: found.number };
    const verb = statementVerb(text);
    const keeps = isWorthKeeping(verb) && this.#cache.takes(text);
    const number = keeps ? ++this.#last : 0;
    return { known: { number, verb }, wire: [number, text] };
  }

  /** The session has prepared and kept it. */
  keep(text: string, known: KnownStatement): void {
    this.#cache.put(text, known);
  }

  /** What gave way since the last time, to be told to the session. */
  takeForgotten(): readonly number[] {
    if (this.#forget.length === 0) return NOTHING;
    const forgotten = this.#forget;
    this.#forget = [];
    return forgotten;
  }

  /** The session has forgotten all. */
  clear(): void {
    this.#cache.clear();
    this.#forget = [];
  }

  stats(): StatementCacheStats {
    return this.#cache.stats();
  }
}

const NOTHING: readonly number[] = [];
