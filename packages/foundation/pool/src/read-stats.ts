import type { LiveList, PoolStats, StatementCacheStats } from '@dal/core';
import type { Lease } from './lease.ts';
import type { PoolCounts } from './pool-counts.ts';
import type { Session } from './session.ts';
import type { SessionStock } from './session-stock.ts';

/** A pool's numbers at this moment, and its counts since the start. */
export function readStats<Raw>(
  leases: LiveList<Lease<Raw>>,
  stock: SessionStock<unknown, Raw>,
  { wait, use, create, ...counts }: PoolCounts,
  more: Pick<PoolStats, 'waiting' | 'max' | 'target'>,
): PoolStats {
  const waited = wait.read();
  return {
    size: leases.size + stock.idle.length + stock.checking,
    idle: stock.idle.length,
    lent: leases.size,
    connecting: stock.opening,
    ...more,
    ...counts,
    // Who got a connection at once left no record.
    wait: wait.read(counts.acquired - waited.count),
    use: use.read(),
    create: create.read(),
    statements: statementsOf([...[...leases].map(({ session }) => session), ...stock.idle]),
  };
}

function statementsOf(sessions: readonly Session[]): StatementCacheStats {
  const total = { size: 0, capacity: 0, hits: 0, misses: 0, evictions: 0 };
  for (const { connection } of sessions) {
    const stats = connection.statements?.();
    if (!stats) continue;
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += stats[key];
  }
  return total;
}
