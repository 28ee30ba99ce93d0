import type { ScalingAction, ScalingLevel } from '@dal/core';

/** What the page shows, a second at a time. No values of statements are in it, nor their literals. */
export interface Snapshot {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly verdict: Verdict;
  readonly pools: readonly PoolCard[];
  /** Open pools that are not shown. */
  readonly morePools: number;
  /** Where the database's time goes, the most first. */
  readonly digests: readonly DigestRow[];
  /** Longest first. */
  readonly running: readonly RunningRow[];
  /** All of them, also those that are over too soon to be read. */
  readonly runningCount: number;
}

export interface Verdict {
  readonly level: ScalingLevel;
  readonly action: ScalingAction;
  /** What matters most, for a look from afar. */
  readonly sentence: string;
  /** The same with its numbers and what to do; '' when there is nothing to do. */
  readonly advice: string;
  readonly evidence: readonly string[];
}

export interface PoolCard {
  readonly name: string;
  readonly system: string;
  /** `address:port/namespace`, as far as there is one. */
  readonly place: string;
  readonly level: ScalingLevel;
  readonly action: ScalingAction;
  readonly reason: string;
  readonly lent: number;
  readonly idle: number;
  readonly connecting: number;
  readonly waiting: number;
  readonly max: number;
  readonly statementsPerSecond: number;
  readonly waitP95Ms: number | undefined;
  /** Since the pool was opened: waits and statements that took too long. */
  readonly timeouts: number;
  readonly leaks: number;
  readonly history: PoolHistory;
}

/** A value for each of the last seconds, the oldest first. */
export interface PoolHistory {
  readonly lent: readonly number[];
  readonly waiting: readonly number[];
  readonly statements: readonly number[];
}

export interface DigestRow {
  readonly id: string;
  readonly database: string;
  readonly text: string;
  readonly count: number;
  readonly errors: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Of the time of all digests, from 0 to 1. */
  readonly share: number;
}

export interface RunningRow {
  readonly id: string;
  readonly database: string;
  /** Normalised. */
  readonly text: string;
  /** What all statements like this one have in common. */
  readonly digest: string;
  readonly forMs: number;
  readonly tags: Readonly<Record<string, string>>;
  /** `server`: of another program, as the server tells it. */
  readonly kind: 'statement' | 'transaction' | 'stream' | 'server';
  readonly canStop: boolean;
}

export interface EventRow {
  readonly id: number;
  /** Grows with every change of any event. */
  readonly turn: number;
  /** Milliseconds since 1970, of the last time. */
  readonly at: number;
  readonly tone: 'bad' | 'warn' | 'good' | 'plain';
  /** One word: `timeout`, `retry`, `leak`. */
  readonly what: string;
  readonly database: string;
  readonly words: string;
  /** Normalised. */
  readonly text: string | undefined;
  readonly stack: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** How often the same happened in a short time. */
  readonly count: number;
}
