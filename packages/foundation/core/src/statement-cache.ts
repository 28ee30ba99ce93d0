/** Counts of a cache of prepared statements. */
export interface StatementCacheStats {
  /** Statements that are prepared now. */
  readonly size: number;
  /** How many there may be; moves between the cache's limits with the hit ratio. */
  readonly capacity: number;
  readonly hits: number;
  readonly misses: number;
  /** Statements that gave way to others and were closed on the server. */
  readonly evictions: number;
}
