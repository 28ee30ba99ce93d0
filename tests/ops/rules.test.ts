import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promtool } from '@dal/testing/servers';
import { expect, test } from 'vitest';
import { alerts } from '../../tooling/ops/alerts.ts';
import { OPS_FOLDER } from '../../tooling/ops/ops-files.ts';
import { windowOf } from '../../tooling/ops/promql.ts';

const RULES = join(import.meta.dirname, '..', '..', OPS_FOLDER, 'rules.yml');
const POOL = 'job="shop", instance="a:1", db_client_connection_pool_name="orders"';
const SERVER = 'job="shop", instance="a:1", db_system_name="mysql", server_address="db"';

/** What happens, as a number of each series every 30 s, and which alerts fire after some minutes. */
interface Story {
  readonly story: string;
  /** By a series' name without a unit; `~` and `^` stand where a pushed one has its unit. */
  readonly series: Readonly<Record<string, string>>;
  readonly fires: Readonly<Record<number, readonly string[]>>;
}

const used = `db_client_connection_count{${POOL}, db_client_connection_state="used"}`;
const limit = `db_client_connection_limit{${POOL}}`;
const pending = `db_client_connection_pending_requests{${POOL}}`;
const timeouts = `db_client_connection_timeouts_total{${POOL}}`;
const waits = `db_client_connection_wait_time~_count{${POOL}}`;
const lentSeconds = `db_client_connection_use_time~_sum{${POOL}}`;
const calls = (errorType = ''): string =>
  `db_client_operation_duration~_count{${SERVER}${errorType && `, error_type="${errorType}"`}}`;
const waitsUpTo = (le: string): string =>
  `db_client_connection_wait_time~_bucket{${POOL}, le="${le}"}`;
const callsUpTo = (le: string): string =>
  `db_client_operation_duration~_bucket{${SERVER}, db_query_summary="SELECT orders", le="${le}"}`;
const slowCalls = `db_client_operation_duration~_count{${SERVER}, db_query_summary="SELECT orders"}`;

const stories: readonly Story[] = [
  {
    story: 'all connections lent, and callers wait',
    series: { [used]: '2x7 0x50', [limit]: '2x60', [pending]: '3x7 0x50' },
    fires: { 0.5: [], 2: ['DalPoolExhausted'], 5: ['DalPoolExhausted'], 8: [] },
  },
  {
    story: 'all connections lent, and nobody waits',
    series: { [used]: '2x10', [limit]: '2x10', [pending]: '0x10' },
    fires: { 4: [] },
  },
  // On both sides of each bound, in thousandths.
  ...(
    [
      [1.1, ['DalPoolTimeoutsMild']],
      [9, ['DalPoolTimeoutsMild']],
      [11, ['DalPoolTimeoutsHigh']],
      [49, ['DalPoolTimeoutsHigh']],
      [51, ['DalPoolTimeoutsCritical']],
    ] as const
  ).map(([failing, fires]) => ({
    story: `${failing / 10} % wait in vain`,
    series: { [timeouts]: `0+${failing}x60`, [waits]: `0+${1_000 - failing}x60` },
    fires: { 0.5: [], 20: fires },
  })),
  {
    story: 'nobody gets anything',
    series: { [timeouts]: '0+30x60' },
    fires: { 20: ['DalPoolTimeoutsCritical'] },
  },
  {
    story: '0.09 % wait in vain',
    series: { [timeouts]: '0+0.9x60', [waits]: '0+999.1x60' },
    fires: { 20: [] },
  },
  {
    story: 'a third waits in vain, of hardly anybody',
    series: { [timeouts]: '0+2x60', [waits]: '0+4x60' },
    fires: { 20: [] },
  },
  {
    story: 'one connection never comes back',
    series: { [used]: '1x80', [limit]: '9x80', [lentSeconds]: '0x80' },
    fires: { 9: [], 16: [], 22: ['DalLeakSuspect'] },
  },
  {
    story: 'half of what is lent never comes back, beside much that does',
    series: { [used]: '4x80', [limit]: '9x80', [lentSeconds]: '0+60x80' },
    fires: { 35: ['DalLeakSuspect'] },
  },
  {
    story: 'much is lent, and all of it comes back',
    series: { [used]: '5x80', [limit]: '9x80', [lentSeconds]: '0+150x80' },
    fires: { 30: [] },
  },
  {
    story: 'a program has just begun, and lends much',
    series: { [used]: '_x10 5x80', [limit]: '_x10 9x80', [lentSeconds]: '_x10 75+150x80' },
    fires: { 12: [], 17: [], 25: [] },
  },
  {
    story: 'a report takes ten minutes',
    series: { [used]: '0x4 1x20 0x60', [limit]: '9x80', [lentSeconds]: '0x24 600x60' },
    fires: { 11: [], 15: [], 30: [] },
  },
  {
    story: 'one caller in ten waits for half a second',
    series: {
      [waitsUpTo('0.1')]: '0+90x60',
      [waitsUpTo('0.5')]: '0+100x60',
      [waitsUpTo('+Inf')]: '0+100x60',
    },
    fires: { 3: [], 12: ['DalPoolWaiting'] },
  },
  {
    story: 'nine of ten connections are always lent',
    series: { [used]: '9x60', [limit]: '10x60', [lentSeconds]: '0+270x60' },
    fires: { 3: [], 20: ['DalPoolBusy'] },
  },
  {
    story: 'one call in ten takes three seconds',
    series: {
      [callsUpTo('1')]: '0+9x60',
      [callsUpTo('5')]: '0+10x60',
      [callsUpTo('+Inf')]: '0+10x60',
      [slowCalls]: '0+10x60',
    },
    fires: { 3: [], 12: ['DalSlowCalls'] },
  },
  {
    story: 'a rare report takes three seconds',
    series: {
      [callsUpTo('1')]: '0x60',
      [callsUpTo('5')]: '0+1x60',
      [callsUpTo('+Inf')]: '0+1x60',
      [slowCalls]: '0+1x60',
    },
    fires: { 20: [] },
  },
  {
    story: 'sessions are killed while others go on',
    series: { [calls()]: '0+90x60', [calls('57P01')]: '0+2x60' },
    fires: { 1: [], 10: ['DalConnectionErrors'] },
  },
  {
    story: 'keys collide',
    series: { [calls()]: '0+90x60', [calls('23505')]: '0+9x60' },
    fires: { 10: [] },
  },
  {
    story: 'the server goes away for five minutes',
    series: {
      [calls()]: '0+90x20 1800x10 1800+90x40',
      [calls('connection_lost')]: '0x20 0+5x10 50x40',
    },
    fires: { 11: [], 14: ['DalServerAway'], 17: ['DalServerAway'], 20: [], 21: [], 30: [] },
  },
  {
    story: 'the memory is nearly full',
    series: { 'process_memory_utilization^{job="shop", instance="a:1"}': '0.95x60' },
    fires: { 3: [], 8: ['DalProcessMemory'] },
  },
];

test.each([
  { way: 'scraped', units: ['', ''] },
  { way: 'pushed by OTLP', units: ['_seconds', '_ratio'] },
] as const)('with metrics that are $way each alert fires when it should', async ({ units }) => {
  const nameOf = (name: string): string => name.replace('~', units[0]).replace('^', units[1]);
  const verdict = promtoolTest(
    stories.map(({ story, series, fires }) => ({
      name: story,
      interval: '30s',
      input_series: Object.entries(series).map(([name, values]) => ({
        series: nameOf(name),
        values,
      })),
      promql_expr_test: Object.entries(fires).map(([minutes, names]) => ({
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${Number(minutes) * 60}s`,
        exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
      })),
    })),
  );
  await expect(verdict).resolves.toContain('SUCCESS');
});

test('every alert has a story in which it fires', () => {
  const told = stories.flatMap(({ fires }) => Object.values(fires).flat());
  expect(new Set(told)).toEqual(new Set(alerts(windowOf()).map(({ alert }) => alert)));
});

test('the tests can fail', async () => {
  await expect(
    promtoolTest([
      {
        name: 'nothing happens',
        interval: '30s',
        input_series: [{ series: used, values: '1x10' }],
        promql_expr_test: [
          {
            expr: 'ALERTS',
            eval_time: '5m',
            exp_samples: [{ labels: 'ALERTS{alertname="DalPoolBusy"}', value: 1 }],
          },
        ],
      },
    ]),
  ).rejects.toThrow('DalPoolBusy');
});

async function promtoolTest(tests: readonly unknown[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dal-rules-'));
  try {
    const file = join(folder, 'stories.yml');
    // All of JSON is YAML.
    await writeFile(
      file,
      JSON.stringify({ rule_files: [RULES], evaluation_interval: '30s', tests }),
    );
    return await promtool('test', 'rules', file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
