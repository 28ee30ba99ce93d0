/**
 * How a pool is to behave, as data: each step is an operation and the events that it brings about.
 *
 * Operations:
 * - `acquire a`, `acquire a within 50`: somebody called `a` asks for a connection
 * - `release a`, `destroy a`: gives it back, or ends it
 * - `abort a`: the signal of `a` is aborted
 * - `time 100`: so many milliseconds pass
 * - `lose 1`: the line of session 1 breaks
 * - `refuse 2`: the next two connects fail
 * - `slow connect 100`: connects take so long from now on
 * - `silent 1`: session 1 doesn't answer any more
 * - `close within 50`
 *
 * Events: `connect`, `a on 1` (`a` has session 1, and can use it), `ping 1`, `reset 1`, `rollback 1`,
 * `close 1`, `destroy 1`, `a failed DAL_POOL_TIMEOUT`, `closed`.
 */
export interface PoolBehaviour {
  readonly name: string;
  /** Options of the pool. Loans have no stacks and there are no watches, unless they are named. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly steps: readonly (readonly [operation: string, ...events: readonly string[]])[];
}
