import { conditions, thresholds } from './conditions.ts';
import { label, type Window } from './promql.ts';
import type { Alert } from './rules-file.ts';

const KEEP_MINUTES = 3;

/** The alerts, in the order in which a reader should look at them. */
export function alerts(window: Window): Alert[] {
  return [...ofServers, ...ofPools, ...ofStatements, ...ofProcesses].map(
    ({ alert, when, forMinutes, severity, summary, description, runbook }) => ({
      alert,
      expr: conditions[when],
      for: window(forMinutes),
      keepFiringFor: window(KEEP_MINUTES),
      labels: { severity, layer: 'dal' },
      annotations: { summary, description, runbook },
    }),
  );
}

interface AlertText {
  readonly alert: string;
  readonly when: keyof typeof conditions;
  readonly forMinutes: number;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly summary: string;
  readonly description: string;
  /** What to look at, and what to do, in this order. */
  readonly runbook: string;
}

const pool = `pool {{ $labels.${label.poolName} }} of {{ $labels.job }} on {{ $labels.instance }}`;
const server = `{{ $labels.${label.system} }} {{ $labels.${label.namespace} }} at {{ $labels.${label.serverAddress} }}`;
const percent = '{{ $value | humanizePercentage }}';
const seconds = '{{ $value | humanizeDuration }}';

const ofServers: readonly AlertText[] = [
  {
    alert: 'DalServerAway',
    when: 'serverAway',
    forMinutes: 1,
    severity: 'critical',
    summary: `{{ $labels.job }} can't reach its database: ${server}`,
    description:
      'Calls fail for want of a connection, and for two minutes none has succeeded, on any process of this job.',
    runbook:
      'Is the server up, and may this network reach it? Has a password or a certificate run out? DAL goes on trying by itself and needs no restart; a bigger pool changes nothing.',
  },
  {
    alert: 'DalConnectionErrors',
    when: 'connectionErrors',
    forMinutes: 3,
    severity: 'warning',
    summary: `${percent} of the calls of {{ $labels.job }} lose their connection: ${server}`,
    description:
      'More than one call in a hundred fails because its connection was refused or broke, while others succeed.',
    runbook:
      "Look at the server's log for restarts, killed sessions and its limit of connections, and at what is between (pooler, load balancer, firewall) for idle limits. Only some of the processes: look at their network.",
  },
];

const ofPools: readonly AlertText[] = [
  {
    alert: 'DalPoolExhausted',
    when: 'exhausted',
    forMinutes: 1,
    severity: 'critical',
    summary: `All connections are lent, and callers wait: ${pool}`,
    description: 'For a minute all {{ $value }} connections were in use whenever somebody looked.',
    runbook:
      'Who holds them? The errors of those who wait in vain say it, and `db.pool.holders()`: since when, from which line, and the last statement. Slow statements: see DalSlowCalls. Held without a statement: give them back sooner. Neither: raise `pool.max`, if the server has places.',
  },
  {
    alert: 'DalPoolTimeoutsCritical',
    when: 'timeoutsCritical',
    forMinutes: 1,
    severity: 'critical',
    summary: `${percent} of those who ask for a connection get none: ${pool}`,
    description: 'Over five minutes more than 5 % waited in vain. Scale horizontally.',
    runbook:
      'Ask `db.scaling()`: it names the cause before it names a size. One slow statement, connections that are held too long, or a busy event loop come before more servers.',
  },
  {
    alert: 'DalPoolTimeoutsHigh',
    when: 'timeoutsHigh',
    forMinutes: 2,
    severity: 'warning',
    summary: `${percent} of those who ask for a connection get none: ${pool}`,
    description: 'Over five minutes 1 to 5 % waited in vain. Scale vertically.',
    runbook:
      'Ask `db.scaling()` for the cause. Then more connections (`pool.max`), as long as the server has places and answers as fast as before; then a bigger server.',
  },
  {
    alert: 'DalPoolTimeoutsMild',
    when: 'timeoutsMild',
    forMinutes: 5,
    severity: 'info',
    summary: `${percent} of those who ask for a connection get none: ${pool}`,
    description: 'Over five minutes 0.1 to 1 % waited in vain. Review slow queries.',
    runbook:
      'Look at the slowest statements on the dashboard, or at the digests of `db.scaling()`.',
  },
  {
    alert: 'DalLeakSuspect',
    when: 'leak',
    forMinutes: 5,
    severity: 'warning',
    summary: `About {{ $value | printf "%.0f" }} connections don't come back: ${pool}`,
    description:
      'Connections were lent a quarter of an hour ago or longer, and the loans that ended meanwhile do not account for them. In a busy pool this shows from a quarter of its load on.',
    runbook:
      '`db.pool.leaks()` and the event `leak` say who holds them, since when, and from which line. Use `await using` or a callback. A report that runs for long: give it a pool of its own.',
  },
  {
    alert: 'DalPoolWaiting',
    when: 'waiting',
    forMinutes: 5,
    severity: 'warning',
    summary: `One caller in twenty waits longer than ${seconds} for a connection: ${pool}`,
    description: `The 95th percentile of the waits was above ${thresholds.waitSeconds} s for five minutes.`,
    runbook:
      'The forerunner of timeouts. Compare with how long connections are lent (dashboard, "Loans"): longer than before means slow statements or held connections, as before means more load.',
  },
  {
    alert: 'DalPoolBusy',
    when: 'busy',
    forMinutes: 5,
    severity: 'warning',
    summary: `${percent} of the connections were lent for a quarter of an hour: ${pool}`,
    description: 'There is no room left for a burst.',
    runbook:
      'Raise `pool.max` if the server has places; else shorten what happens between taking a connection and giving it back.',
  },
];

const ofStatements: readonly AlertText[] = [
  {
    alert: 'DalSlowCalls',
    when: 'slow',
    forMinutes: 5,
    severity: 'warning',
    summary: `{{ $labels.${label.summary} }} takes ${seconds} or more, one time in twenty ({{ $labels.job }}, {{ $labels.${label.namespace} }})`,
    description: `The 95th percentile, with waits and retries, was above ${thresholds.slow.seconds} s for five minutes and ${thresholds.slow.calls} calls.`,
    runbook:
      'Waits for connections high too: the pool first. Else the statement: its plan, a missing index, a lock that somebody holds. `slowQueryMs` names the texts and lines that it comes from.',
  },
];

const ofProcesses: readonly AlertText[] = [
  {
    alert: 'DalProcessMemory',
    when: 'memory',
    forMinutes: 5,
    severity: 'warning',
    summary: `{{ $labels.job }} on {{ $labels.instance }} uses ${percent} of its memory`,
    description:
      'Needs the metric process.memory.utilization, which is not from DAL; the page of @dal/otel shows how to add it.',
    runbook:
      'Rows that are read all at once: `db.stream()`. A queue of callers that grows: DalPoolWaiting. Neither: take a heap snapshot before the process is restarted.',
  },
];
