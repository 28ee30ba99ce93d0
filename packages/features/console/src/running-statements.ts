import { type AttemptMessage, channels, type ObservedPool, type QueryMessage } from '@dal/core';
import type { Listening } from './listening.ts';
import type { RunningRow } from './snapshot.ts';
import { shownTags, type StatementTexts } from './statement-texts.ts';

/** What the statements of a pool came to since the console looks on. */
export interface PoolTally {
  ended: number;
}

/** Every statement that is under way in this thread, from being sent to its end. */
export class RunningStatements {
  readonly #running = new Map<AttemptMessage, string>();
  readonly #tallies = new WeakMap<ObservedPool, PoolTally>();
  readonly #texts: StatementTexts;
  /** Ids that no program before this one had, for pages that were open then. */
  #lastId: number = Date.now();

  constructor(listening: Listening, texts: StatementTexts) {
    this.#texts = texts;
    const { start, asyncEnd } = channels.attempt;
    listening.to(start, (message) => this.#running.set(message, String(++this.#lastId)));
    listening.to(asyncEnd, (message) => {
      if (this.#running.delete(message)) this.tally(message.database.pool).ended++;
    });
  }

  get count(): number {
    return this.#running.size;
  }

  /** The longest first. */
  rows(most: number): RunningRow[] {
    const now = performance.now();
    // Begun first means running longest, and a Map keeps that order.
    return [...this.#running].slice(0, most).map(([message, id]) => {
      const { database, statement, parent } = message;
      const { text, id: digest } = this.#texts.shown(statement, database.pool.dialect);
      const call = callOf(parent);
      const tags = shownTags(call?.tags);
      const kind =
        call?.kind === 'stream'
          ? 'stream'
          : transactionOf(call, parent)
            ? 'transaction'
            : 'statement';
      const forMs = now - message.startedAt;
      const canStop = stopOf(message) !== undefined;
      return { id, database: database.name, text, digest, forMs, tags, kind, canStop };
    });
  }

  /** @returns false when it is over, or can't be stopped */
  stop(id: string): boolean {
    for (const [message, known] of this.#running) {
      if (known !== id) continue;
      const stop = stopOf(message);
      stop?.('the console');
      return stop !== undefined;
    }
    return false;
  }

  tally(pool: ObservedPool): PoolTally {
    let tally = this.#tallies.get(pool);
    if (tally === undefined) this.#tallies.set(pool, (tally = { ended: 0 }));
    return tally;
  }
}

const TRANSACTION_WORDS = /^\s*(?:begin|start|commit|end|rollback|savepoint|release)\b/i;

/** What begins and ends transactions is left alone: to stop it would only leave doubts. */
function stopOf({ parent, statement, stop }: AttemptMessage): AttemptMessage['stop'] {
  return callOf(parent) && !TRANSACTION_WORDS.test(statement) ? stop : undefined;
}

function callOf(parent: AttemptMessage['parent']): QueryMessage | undefined {
  return parent && 'kind' in parent ? parent : undefined;
}

function transactionOf(call: QueryMessage | undefined, parent: AttemptMessage['parent']): boolean {
  return call ? call.parent !== undefined : parent !== undefined;
}
