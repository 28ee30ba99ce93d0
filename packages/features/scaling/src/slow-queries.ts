import type { SlowQueryMessage } from '@dal/core';
import { digestOf } from './digest.ts';

/** A call that took as long as its database's `slowQueryMs`, or longer. */
export interface SlowQuery {
  /** The database's name. */
  readonly database: string;
  /** Of the digest that it belongs to, as in `digests()`. */
  readonly id: string;
  /** Normalised, without values. */
  readonly text: string;
  readonly tags: SlowQueryMessage['tags'];
  /** From the call to its answer, with waits and retries. */
  readonly durationMs: number;
  readonly thresholdMs: number;
  /** The program's lines that made the call, innermost first. */
  readonly stack: string;
  /** The code of the error that it ended with, such as `DAL_STATEMENT_TIMEOUT`. */
  readonly errorCode: string | undefined;
  /** When it ended. */
  readonly at: Date;
}

const MOST = 100;

/** The last slow calls. */
export class SlowQueries {
  readonly #calls: SlowQuery[] = [];

  readonly record = (message: SlowQueryMessage): void => {
    this.#calls.unshift(toSlowQuery(message));
    if (this.#calls.length > MOST) this.#calls.pop();
  };

  /** The youngest first. */
  read(): SlowQuery[] {
    return [...this.#calls];
  }
}

function toSlowQuery(message: SlowQueryMessage): SlowQuery {
  const { database, statement, tags, durationMs, thresholdMs, stack, error } = message;
  return {
    database: database.name,
    ...digestOf(statement, database.pool.dialect),
    tags,
    durationMs,
    thresholdMs,
    stack,
    errorCode: error?.code,
    at: new Date(),
  };
}
