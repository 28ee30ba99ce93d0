import { Expressions } from './expressions.ts';
import { lostServer, POOL, SERVER, STATEMENT, succeeded, type Window } from './promql.ts';
import type { Recording } from './rules-file.ts';

/**
 * Series with short names for the alerts, and for whoever asks next. Scraped metrics and those pushed
 * by OTLP have the same names from here on. A name says what it is of, and over which time.
 */
export function records(window: Window): Recording[] {
  const ask = new Expressions();
  const [short, normal, long] = [window(2), window(5), window(15)];
  const all: Record<keyof typeof recorded, string> = {
    lent: ask.lent(POOL),
    limit: ask.now('limit', POOL),
    pending: ask.now('pendingRequests', POOL),
    timeouts: ask.timeouts(normal, POOL),
    // A pool that has never lent anything has no series of waits.
    acquires: `(${ask.served(normal, POOL)} or 0 * ${recorded.timeouts}) + ${recorded.timeouts}`,
    timeoutRatio: `${recorded.timeouts} / (${recorded.acquires} > 0)`,
    waitP95: ask.quantile(0.95, 'waitTime', normal, POOL),
    useP95: ask.quantile(0.95, 'useTime', normal, POOL),
    lentMean: ask.lentOver(long, POOL),
    lentMin: `min by (${POOL}) (min_over_time(${ask.connections('used')}[${long}]))`,
    utilisation: `${recorded.lentMean} / (${recorded.limit} > 0)`,
    // Of a pool that is younger than this it isn't known which loans have ended.
    unreturned: `${recorded.lentMean} - (${ask.returned(long, POOL)} or 0 * ${recorded.lentMean})\nand\n${recorded.lent} offset ${long} >= 0`,
    statementCalls: ask.calls(normal, STATEMENT),
    statementP95: ask.quantile(0.95, 'duration', normal, STATEMENT),
    serverCalls: ask.calls(normal, SERVER),
    serverLost: ask.calls(normal, SERVER, [lostServer]),
    serverLostNow: ask.calls(short, SERVER, [lostServer]),
    serverSucceededNow: ask.calls(short, SERVER, [succeeded]),
    serverLostRatio: `${recorded.serverLost} / (${recorded.serverCalls} > 0)`,
  };
  return Object.entries(all).map(([key, expr]) => ({
    record: recorded[key as keyof typeof recorded],
    expr,
  }));
}

/** The names under which they are kept. */
export const recorded = {
  lent: 'dal:pool_lent:max',
  limit: 'dal:pool_limit:max',
  pending: 'dal:pool_pending:max',
  timeouts: 'dal:pool_timeouts:increase5m',
  acquires: 'dal:pool_acquires:increase5m',
  timeoutRatio: 'dal:pool_timeouts:ratio5m',
  waitP95: 'dal:pool_wait_seconds:p95_5m',
  useP95: 'dal:pool_use_seconds:p95_5m',
  lentMean: 'dal:pool_lent:avg15m',
  lentMin: 'dal:pool_lent:min15m',
  utilisation: 'dal:pool_utilisation:ratio15m',
  unreturned: 'dal:pool_unreturned:avg15m',
  statementCalls: 'dal:statement_calls:increase5m',
  statementP95: 'dal:statement_seconds:p95_5m',
  serverCalls: 'dal:server_calls:increase5m',
  serverLost: 'dal:server_calls_lost:increase5m',
  serverLostNow: 'dal:server_calls_lost:increase2m',
  serverSucceededNow: 'dal:server_calls_succeeded:increase2m',
  serverLostRatio: 'dal:server_calls_lost:ratio5m',
} as const;
