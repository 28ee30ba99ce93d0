import {
  deadlineAfter,
  type Deadline,
  durationMs,
  remainingMs,
  type StatementOptions,
  type TransactionOptions,
  unknownOption,
} from '@dal/core';
import type { EngineWords } from './engine-words.ts';
import type { TypeOptions } from './entity-manager.ts';
import type { CallOptions } from './verb-options.ts';
import type { GatheredGets } from './gathered-gets.ts';
import type { KnownTypes } from './known-types.ts';

/** Where verbs do their work, and by which rules. */
export interface Scene {
  readonly words: EngineWords;
  readonly settings: EntitySettings;
  readonly types: KnownTypes;
  /** Where gets may wait for each other; never inside of a `transaction` step. */
  readonly gets?: GatheredGets;
  /** On a connection or in a transaction of the caller's. */
  readonly isBound: boolean;
  readonly inTransaction: () => boolean;
}

export interface EntitySettings {
  readonly history: 'on' | 'off';
  readonly ddl: 'auto' | 'never';
  /** Grows by `em.collection(name, schema, options)`. */
  readonly types: Map<string, TypeOptions>;
  readonly retries: number;
}

/** The time and signal of one call, for all the statements that it takes. */
export class CallLimits {
  readonly #deadline: Deadline | undefined;

  /** @throws ConfigError for an option that the call has not */
  constructor(verb: string, options: CallOptions | undefined, known: readonly string[] = []) {
    if (options === undefined) return;
    for (const key in options) {
      if (key === 'timeoutMs' || key === 'signal' || known.includes(key)) continue;
      throw unknownOption(`the options of ${verb}()`, key, ['timeoutMs', 'signal', ...known]);
    }
    const { timeoutMs, signal } = options;
    if (timeoutMs === undefined && signal === undefined) return;
    const length = timeoutMs === undefined ? Infinity : durationMs(timeoutMs, 'timeoutMs');
    this.#deadline = deadlineAfter(length, signal);
  }

  get areNone(): boolean {
    return this.#deadline === undefined;
  }

  /** For a statement that changes something. */
  get statement(): StatementOptions | undefined {
    return this.#deadline && this.#left(this.#deadline);
  }

  /** For a question: it may be asked twice. */
  get question(): StatementOptions {
    return this.#deadline ? { ...this.#left(this.#deadline), idempotent: true } : QUESTION;
  }

  transaction({ isBound, settings }: Scene): TransactionOptions | undefined {
    // A part of the caller's own transaction has that one's limits.
    if (isBound) return undefined;
    return { retries: settings.retries, ...this.statement };
  }

  #left(deadline: Deadline): StatementOptions {
    const { signal } = deadline;
    return {
      // Never 0: the statement itself is to say that the time is over.
      ...(deadline.at !== Infinity && { timeoutMs: Math.max(1, remainingMs(deadline)) }),
      ...(signal && { signal }),
    };
  }
}

const QUESTION: StatementOptions = { idempotent: true };
