import type { Driver } from '@dal/core';
import type { Card, Level } from './card.ts';

export interface ConformanceOptions {
  /** The runner's own function; Vitest's and `node:test`'s both fit. */
  readonly test: TestFunction;
  /** Groups the tests by chapter. Default: the chapter stands in front of each test's name. */
  readonly describe?: DescribeFunction;
  readonly driver: Driver;
  /** What a user would give for this database: a URL, or the driver's options. */
  readonly config: string | Readonly<Record<string, unknown>>;
  /**
   * What the driver declares. A test that fails in a chapter beyond it is shown as skipped, and stands
   * as failed in the card. Default: every test has to pass.
   */
  readonly level?: Exclude<Level, 'none'>;
  /**
   * A statement that runs for a minute when nobody stops it. Default: a recursive query that counts
   * to a thousand million. `false`: statements run in the caller's own thread, nothing can stop one.
   */
  readonly stuckStatement?: string | false;
  /** Whether the engine says the id that it made up for a row. Default: true. */
  readonly insertId?: boolean;
  /** How sessions are seen and ended from another one. Default: sessions cannot be killed. */
  readonly sessions?: SessionStatements;
  /** Where the card is written, as JSON, once every test has run. Default: nowhere. */
  readonly cardFile?: string;
  /** Receives the card once every test has run. */
  readonly onCard?: (card: Card) => void;
}

/** SQL with one value as its answer. */
export interface SessionStatements {
  /** What names the session that asks: `SELECT pg_backend_pid()`. */
  readonly id: string;
  /** How many sessions with the name `?` the server has. */
  readonly alive: string;
  /** How many sessions with the name `?` are running a statement. */
  readonly busy: string;
  /** The statement that ends the session with this name. */
  readonly kill: (id: number | bigint | string) => string;
}

export type TestFunction = (
  name: string,
  run: (context?: unknown) => Promise<void>,
  timeoutMs?: number,
) => unknown;

export type DescribeFunction = (name: string, body: () => void) => unknown;
