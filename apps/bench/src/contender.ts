import type { Visitor } from './rows.ts';
import type { StreamSum } from './stream-sum.ts';

/**
 * One library on one engine, with what it can be measured at. A library that answers at once gives
 * the answer itself instead of a promise.
 */
export interface Contender {
  readonly name: string;
  /** `raw`: the engine's own library. `rival`: another layer above it. */
  readonly side: 'dal' | 'raw' | 'rival';
  /** The row with this id. */
  readonly read?: (id: number) => unknown;
  /** One row, in a transaction of its own. `who` is a column, so that rows can be counted. */
  readonly insert?: (who: number, row: Visitor) => unknown;
  /** All rows of the wide table. */
  readonly thousand?: () => unknown;
  /** All or nothing, into an empty table. */
  readonly bulk?: (rows: readonly Visitor[]) => Promise<unknown>;
  /** Every row up to this id, a few in memory at a time. */
  readonly stream?: (upTo: number) => Promise<StreamSum>;
}

/** Names of the tables of one run: the database may be one that others use too. */
export interface Tables {
  readonly visitors: string;
  readonly wide: string;
  readonly inserts: string;
  readonly bulk: string;
  readonly stream: string;
}

export function tablesOf(prefix: string): Tables {
  return {
    visitors: `${prefix}_visitors`,
    wide: `${prefix}_wide`,
    inserts: `${prefix}_inserts`,
    bulk: `${prefix}_bulk`,
    stream: `${prefix}_stream`,
  };
}

/** Connections at the most, in every pool. */
export const POOL = 20;
