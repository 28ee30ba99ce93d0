import { memory, series } from './promql.ts';
import { recorded } from './records.ts';

/** From where on something is worth an alert. The levels of timeouts are those of `@dal/scaling`. */
export const thresholds = {
  waitSeconds: 0.1,
  utilisation: 0.9,
  timeouts: { mild: 0.001, high: 0.01, critical: 0.05, failures: 3, acquisitions: 200 },
  unreturned: { connections: 0.9, share: 0.25 },
  slow: { seconds: 1, calls: 20 },
  lostCalls: { share: 0.01, calls: 3 },
  memory: 0.9,
} as const;

const { timeouts, unreturned, slow, lostCalls } = thresholds;

/** What the alerts ask: a number for what it is true of, and nothing else. */
export const conditions = {
  exhausted: all(`${recorded.lent} >= ${recorded.limit}`, `${recorded.pending} > 0`),
  waiting: `${recorded.waitP95} > ${thresholds.waitSeconds}`,
  busy: `${recorded.utilisation} >= ${thresholds.utilisation}`,
  timeoutsMild: timeoutsOf(`>= ${timeouts.mild} < ${timeouts.high}`),
  timeoutsHigh: timeoutsOf(`>= ${timeouts.high} <= ${timeouts.critical}`),
  timeoutsCritical: timeoutsOf(`> ${timeouts.critical}`),
  leak: all(
    `${recorded.unreturned} >= ${unreturned.connections}`,
    `${recorded.lentMin} >= 1`,
    // Of loans that are short and many only samples are seen, so that a busy pool needs more of a sign.
    `${recorded.unreturned} >= ${unreturned.share} * ${recorded.lentMean}`,
  ),
  slow: all(
    `${recorded.statementP95} > ${slow.seconds}`,
    `${recorded.statementCalls} >= ${slow.calls}`,
  ),
  connectionErrors: all(
    `${recorded.serverLostRatio} > ${lostCalls.share}`,
    `${recorded.serverLost} >= ${lostCalls.calls}`,
    // Both now: at the ends of an outage this is true for two minutes, and the alert waits for three.
    `${recorded.serverLostNow} > 0`,
    `${recorded.serverSucceededNow} > 0`,
  ),
  serverAway: `${recorded.serverLostNow} > 0\nunless\n${recorded.serverSucceededNow} > 0`,
  memory: `max by (job, instance) (${series(memory)}) > ${thresholds.memory}`,
} as const;

function timeoutsOf(bounds: string): string {
  return all(
    `${recorded.timeoutRatio} ${bounds}`,
    `${recorded.timeouts} >= ${timeouts.failures}`,
    `${recorded.acquires} >= ${timeouts.acquisitions}`,
  );
}

function all(...each: readonly string[]): string {
  return each.join('\nand\n');
}
