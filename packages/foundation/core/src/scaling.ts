import type { ObservedPool } from './observed.ts';

/**
 * How much a pool is asked for beyond what it has. By the share of callers who got no connection while
 * all were lent: under 0.1 % normal, under 1 % mild, up to 5 % high, above that critical.
 */
export type ScalingLevel = 'normal' | 'mild' | 'high' | 'critical';

/**
 * What to do first. The causes stand before the size of things: more connections do not help who
 * keeps them, and more servers do not help a slow statement.
 */
export type ScalingAction =
  | 'none'
  | 'database_unreachable'
  | 'release_connections_sooner'
  | 'review_slow_queries'
  | 'scale_out_app'
  | 'use_pooler_or_bigger_database'
  | 'raise_pool_limit'
  | 'scale_vertically'
  | 'scale_horizontally';

/** The digest of statements that takes the most of a pool's database time. */
export interface BusiestDigest {
  readonly id: string;
  /** Normalised: no values, no comments. */
  readonly text: string;
  /** Of the pool's database time in the window, from 0 to 1. */
  readonly share: number;
}

/** What `@dal/scaling` says of one pool, with the numbers that it goes by. */
export interface ScalingAdvice {
  readonly level: ScalingLevel;
  readonly action: ScalingAction;
  /** `low`: there were too few callers for a judgement of the level. */
  readonly confidence: 'high' | 'low';
  /** What stands behind the action, in a few words: `3 connections are lent without a statement`. */
  readonly reason: string;
  /** The numbers in words, the most telling first. */
  readonly evidence: readonly string[];
  /** All of it for people, in a sentence or two; with the pool's name. */
  readonly sentence: string;
  /** How far back the numbers reach. */
  readonly windowMs: number;
  /** Callers who got a connection, in the window. */
  readonly acquired: number;
  /** Callers who got none while all connections were lent. */
  readonly failed: number;
  /** `failed / (acquired + failed)`; 0 when nobody asked. */
  readonly ratio: number;
  /** Of the connections that there may be, how many were lent, on average: from 0 to 1. */
  readonly utilisation: number;
  /** 95 of 100 callers waited no longer for their connection; undefined when nobody got one. */
  readonly waitP95Ms: number | undefined;
  /** How long a connection is lent, on average; undefined when none came back. */
  readonly useMeanMs: number | undefined;
  /**
   * Of the time in which connections were lent, how much a statement ran on them: from 0 to 1.
   * Undefined when none was lent.
   */
  readonly busyShare: number | undefined;
  /** How many connections the load asks for, by Little's law; undefined as long as that is unknown. */
  readonly required: number | undefined;
  /** How many connections there may be now. */
  readonly limit: number;
  /** Places that the server has left, all programs together; undefined when nobody asked it. */
  readonly headroom: number | undefined;
  /** How busy this thread's event loop was: from 0 to 1. */
  readonly eventLoop: number;
  readonly busiest: BusiestDigest | undefined;
}

/** Sent when the level or the action has changed, and only then. */
export interface ScalingMessage extends ScalingAdvice {
  readonly pool: ObservedPool;
  readonly before: { readonly level: ScalingLevel; readonly action: ScalingAction };
}
