import { thresholds } from './conditions.ts';
import { Expressions } from './expressions.ts';
import { label, lostServer, POOL } from './promql.ts';

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: 'stat' | 'timeseries';
  /** Of 24. */
  readonly width: number;
  readonly unit: 'short' | 's' | 'percentunit' | 'ops' | 'reqps';
  readonly queries: readonly Query[];
  /** From where on a line is yellow, and red. */
  readonly limits?: readonly [number, number];
  /** Words for numbers. */
  readonly words?: readonly (readonly [word: string, color: string])[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

// Filled in by Grafana: as wide as the distance of two points, and four scrapes at least.
const RATE = '$__rate_interval';
const process = ['job=~"$job"', 'instance=~"$instance"'];
const ask = new Expressions({
  calls: process,
  pools: [...process, `${label.poolName}=~"$pool"`],
});
const poolName = `{{${label.poolName}}} {{instance}}`;
const summary = `{{${label.summary}}}`;
const failed = `${label.errorType}!=""`;

/** What the dashboard shows, top to bottom: the verdict, pools, calls, connections. */
export const rows: readonly Row[] = [
  {
    title: 'Is all well?',
    panels: [
      {
        title: 'Pressure',
        description: 'The level that @dal/scaling gives each pool; empty without that package.',
        kind: 'stat',
        width: 6,
        unit: 'short',
        words: [
          ['normal', 'green'],
          ['mild', 'yellow'],
          ['high', 'orange'],
          ['critical', 'red'],
        ],
        queries: [{ expr: ask.now('scalingLevel', POOL), legend: poolName }],
      },
      {
        title: 'Waited in vain',
        description: 'Share of those who asked for a connection and got none, over five minutes.',
        kind: 'stat',
        width: 6,
        unit: 'percentunit',
        limits: [thresholds.timeouts.mild, thresholds.timeouts.critical],
        queries: [
          {
            expr: `${ask.timeouts('5m', 'job')} / ((${ask.served('5m', 'job')} + ${ask.timeouts('5m', 'job')}) > 0)`,
            legend: '{{job}}',
          },
        ],
      },
      {
        title: 'Lent',
        description: 'Share of the connections that were lent, over five minutes.',
        kind: 'stat',
        width: 6,
        unit: 'percentunit',
        limits: [0.7, thresholds.utilisation],
        queries: [{ expr: ask.utilisation('5m', POOL), legend: poolName }],
      },
      {
        title: 'Calls that fail',
        description: 'Share of all calls that ended with an error, over five minutes.',
        kind: 'stat',
        width: 6,
        unit: 'percentunit',
        limits: [0.01, 0.05],
        queries: [
          {
            expr: `(${ask.callRate('5m', 'job', [failed])} or 0 * ${ask.callRate('5m', 'job')}) / (${ask.callRate('5m', 'job')} > 0)`,
            legend: '{{job}}',
          },
        ],
      },
    ],
  },
  {
    title: 'Pools',
    panels: [
      {
        title: 'Connections',
        description: 'Lent, and how many there may be.',
        kind: 'timeseries',
        width: 12,
        unit: 'short',
        queries: [
          { expr: ask.lent(POOL), legend: `${poolName} lent` },
          { expr: ask.now('limit', POOL), legend: `${poolName} limit` },
        ],
      },
      {
        title: 'Callers that wait now',
        description: 'Anything that stays above 0 is a pool that is too small, or held too long.',
        kind: 'timeseries',
        width: 12,
        unit: 'short',
        queries: [{ expr: ask.now('pendingRequests', POOL), legend: poolName }],
      },
      {
        title: 'Waits',
        description: 'How long 19 of 20 callers waited for their connection at the most.',
        kind: 'timeseries',
        width: 8,
        unit: 's',
        limits: [thresholds.waitSeconds, 1],
        queries: [{ expr: ask.quantile(0.95, 'waitTime', RATE, POOL), legend: poolName }],
      },
      {
        title: 'Loans',
        description: 'How long 19 of 20 connections were lent at the most.',
        kind: 'timeseries',
        width: 8,
        unit: 's',
        queries: [{ expr: ask.quantile(0.95, 'useTime', RATE, POOL), legend: poolName }],
      },
      {
        title: 'Waited in vain',
        description: 'Callers a second that got no connection in time.',
        kind: 'timeseries',
        width: 8,
        unit: 'ops',
        queries: [
          {
            expr: ask.poolRate('timeouts', RATE, POOL),
            legend: poolName,
          },
        ],
      },
    ],
  },
  {
    title: 'Calls',
    panels: [
      {
        title: 'Calls a second',
        description: 'Those that ended, well or not.',
        kind: 'timeseries',
        width: 8,
        unit: 'reqps',
        queries: [
          {
            expr: ask.callRate(RATE, `job, ${label.namespace}`),
            legend: `{{job}} {{${label.namespace}}}`,
          },
        ],
      },
      {
        title: 'How long calls take',
        description: 'Half of them, 19 of 20 and 99 of 100, with waits and retries.',
        kind: 'timeseries',
        width: 8,
        unit: 's',
        limits: [thresholds.slow.seconds, 5],
        queries: [0.5, 0.95, 0.99].map((share) => ({
          expr: ask.quantile(share, 'duration', RATE, 'job'),
          legend: `{{job}} p${share * 100}`,
        })),
      },
      {
        title: 'Errors a second',
        description: "By the server's code, or DAL's own.",
        kind: 'timeseries',
        width: 8,
        unit: 'ops',
        queries: [
          {
            expr: ask.callRate(RATE, `job, ${label.errorType}`, [failed]),
            legend: `{{${label.errorType}}}`,
          },
        ],
      },
      {
        title: 'Where the time goes',
        description: 'The ten statements with the most time in total.',
        kind: 'timeseries',
        width: 12,
        unit: 'short',
        queries: [
          {
            expr: `topk(10, ${ask.callSum('duration', RATE, label.summary)})`,
            legend: summary,
          },
        ],
      },
      {
        title: 'The slowest statements',
        description: 'How long 19 of 20 of their calls take at the most.',
        kind: 'timeseries',
        width: 12,
        unit: 's',
        limits: [thresholds.slow.seconds, 5],
        queries: [
          {
            expr: `topk(10, ${ask.quantile(0.95, 'duration', RATE, label.summary)})`,
            legend: summary,
          },
        ],
      },
      {
        title: 'Rows a second',
        description: 'That calls returned.',
        kind: 'timeseries',
        width: 12,
        unit: 'ops',
        queries: [
          {
            expr: ask.callSum('returnedRows', RATE, label.summary),
            legend: summary,
          },
        ],
      },
      {
        title: 'Calls without a server',
        description:
          'Calls a second that failed because there was no connection to be had, or it broke.',
        kind: 'timeseries',
        width: 12,
        unit: 'ops',
        queries: [
          {
            expr: ask.callRate(RATE, `job, ${label.serverAddress}`, [lostServer]),
            legend: `{{${label.serverAddress}}}`,
          },
        ],
      },
    ],
  },
  {
    title: 'Connections',
    panels: [
      {
        title: 'Opened a second',
        description: 'Many of them: connections are lost, or `min` is too low for the load.',
        kind: 'timeseries',
        width: 8,
        unit: 'ops',
        queries: [
          {
            expr: ask.poolRate('createTime', RATE, POOL),
            legend: poolName,
          },
        ],
      },
      {
        title: 'Time to open one',
        description: '19 of 20 at the most.',
        kind: 'timeseries',
        width: 8,
        unit: 's',
        queries: [{ expr: ask.quantile(0.95, 'createTime', RATE, POOL), legend: poolName }],
      },
      {
        title: 'Idle, and how many are kept',
        description: 'Between idle.min and idle.max the pool follows its load.',
        kind: 'timeseries',
        width: 8,
        unit: 'short',
        queries: [
          { expr: `max by (${POOL}) (${ask.connections('idle')})`, legend: `${poolName} idle` },
          { expr: ask.now('idleMax', POOL), legend: `${poolName} kept` },
          { expr: ask.now('idleMin', POOL), legend: `${poolName} at least` },
        ],
      },
    ],
  },
];
