import type { PoolStats } from '@dal/core';
import type { Audit } from './audit.ts';
import type { Latencies } from './latencies.ts';
import type { Screen } from './screen.ts';
import type { Workload } from './workload.ts';

export interface Figures {
  readonly workload: Workload;
  readonly stats: PoolStats;
  readonly seconds: number;
}

/** The table at the end. */
export function printFigures({ workload, stats, seconds }: Figures, screen: Screen): void {
  const header = ['operation', 'count', 'per second', 'p50 ms', 'p95 ms', 'p99 ms'];
  const rows = [
    row('order (transaction)', workload.orders, seconds),
    row('balance (read)', workload.reads, seconds),
  ];
  screen.line(screen.style('bold', aligned(header)));
  for (const cells of rows) screen.line(aligned(cells));
  screen.line();
  const { retries, statementTimeouts, acquireTimeouts, lostConnections } = stats;
  screen.line(
    `retries ${retries}, statement timeouts ${statementTimeouts}, acquire timeouts ${acquireTimeouts}, ` +
      `connections lost ${lostConnections}, orders looked up ${workload.lookedUp}, refused ${workload.refused}`,
  );
  const { size, idle, lent, waiting, max, created, destroyed, acquired } = stats;
  screen.line(
    `pool: ${size} of ${max} open (${idle} idle, ${lent} lent, ${waiting} waiting); ` +
      `${created} opened and ${destroyed} closed so far, lent ${acquired} times`,
  );
  screen.line();
}

/** The one line that counts. */
export function printVerdict(audit: Audit, committed: number, screen: Screen): void {
  if (audit.passed) {
    const pass = screen.style(['green', 'bold'], 'PASS');
    screen.line(
      `${pass} No cent was lost or made: the accounts hold ${money(audit.sumCents)} as at the start, ` +
        `${audit.orders} orders in the books, ${committed} committed.`,
    );
  } else {
    printFailure(`${audit.faults.join('; ')}.`, screen);
  }
}

export function printFailure(why: string, screen: Screen): void {
  screen.line(`${screen.style(['red', 'bold'], 'FAIL')} ${why}`);
}

/** The line below everything else, while orders are placed. */
export function progressText(
  { workload, stats, seconds }: Figures,
  total: number,
  screen: Screen,
): string {
  const part = Math.min(1, seconds / total);
  const full = Math.round(part * 24);
  const bar = screen.style('green', '█'.repeat(full)) + screen.style('dim', '░'.repeat(24 - full));
  const facts =
    ` ${seconds.toFixed(1)} s  ${workload.orders.count} orders  ` +
    `${Math.round(workload.orders.count / Math.max(seconds, 0.1))}/s  ${stats.retries} retries  ` +
    `${stats.lent} of ${stats.max} lent`;
  // A line that wraps could not be redrawn.
  return bar + facts.slice(0, Math.max(0, screen.width - 25));
}

function row(name: string, latencies: Latencies, seconds: number): string[] {
  return [
    name,
    String(latencies.count),
    (latencies.count / Math.max(seconds, 0.001)).toFixed(0),
    ...[50, 95, 99].map((percent) => latencies.percentile(percent).toFixed(2)),
  ];
}

function aligned([name = '', ...cells]: readonly string[]): string {
  return name.padEnd(22) + cells.map((cell) => cell.padStart(11)).join('');
}

function money(cents: bigint): string {
  return `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`;
}
