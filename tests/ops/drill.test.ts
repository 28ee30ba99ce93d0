import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { freePort, type MetricsServer, startPrometheus } from '@dal/testing/servers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { rules } from '../../tooling/ops/ops-files.ts';
import { rows } from '../../tooling/ops/panels.ts';
import { label } from '../../tooling/ops/promql.ts';
import { filledIn } from './filled-in.ts';
import { Pager } from './pager.ts';

/** How long a minute of the rules is here. */
const MINUTE_MS = 600;
const WAIT = { timeout: 60_000, interval: 200 };

/** What is made to happen in the demo, the alert that it must raise, and of which pool. */
const incidents = [
  ['leak', 'DalLeakSuspect', 'incident: leak'],
  ['crowd', 'DalPoolExhausted', 'incident: crowd'],
  ['crowd', 'DalPoolWaiting', 'incident: crowd'],
  ['crowd', 'DalPoolBusy', 'incident: crowd'],
  ['timeouts-mild', 'DalPoolTimeoutsMild', 'incident: timeouts-mild'],
  ['timeouts-high', 'DalPoolTimeoutsHigh', 'incident: timeouts-high'],
  ['timeouts-critical', 'DalPoolTimeoutsCritical', 'incident: timeouts-critical'],
  ['slow', 'DalSlowCalls', ''],
  ['kills', 'DalConnectionErrors', ''],
] as const;

/** These leave little of the program for others. */
const hardIncidents = [
  ['memory', 'DalProcessMemory', ''],
  ['outage', 'DalServerAway', ''],
] as const;

const program = fileURLToPath(new URL('../../apps/demo/src/main.ts', import.meta.url));
const closing = new AsyncDisposableStack();
const pager = new Pager();
let demo: ChildProcessByStdio<null, Readable, Readable>;
let prometheus: MetricsServer;
let url: string;
let output = '';

beforeAll(async () => {
  const alertmanager = await pager.open();
  closing.use(pager);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  demo = startDemo(port);
  closing.defer(() => void demo.kill('SIGKILL'));
  prometheus = closing.use(
    await startPrometheus({
      targets: [`127.0.0.1:${port}`],
      rules: rules(MINUTE_MS),
      alertmanager,
      intervalMs: 250,
    }),
  );
  await vi.waitUntil(() => output.includes('Watching until Ctrl-C'), WAIT);
}, 120_000);

afterAll(() => closing.disposeAsync());

test('every alert fires once, when its incident happens in the running demo', async () => {
  await go(incidents, async () => {
    // Something is to be seen in every panel of the dashboard.
    const empty: string[] = [];
    for (const { panels } of rows) {
      for (const { title, queries } of panels) {
        for (const { expr } of queries) {
          const found = await prometheus.query(filledIn(expr, '3s'));
          if (found.length === 0) empty.push(title);
        }
      }
    }
    expect(empty).toEqual([]);
  });
  expect(paged()).toEqual(namesOf(incidents));
  await go(hardIncidents);
  // When a server comes back, some calls fail while others succeed: on a slow machine for long enough.
  const after = paged()
    .slice(incidents.length)
    .filter((page) => page !== 'DalConnectionErrors ');
  expect(after).toEqual(namesOf(hardIncidents));
  for (const { annotations } of pager.pages) {
    expect(Object.keys(annotations).toSorted()).toEqual(['description', 'runbook', 'summary']);
    expect(Object.values(annotations).join('\n')).not.toMatch(/\{\{|<no value>|<error|%!/);
  }
}, 180_000);

test('the demo has outlived it all, and no cent is lost', async () => {
  demo.kill('SIGINT');
  const [exitCode] = (await once(demo, 'close')) as [number | null];
  expect(output).toMatch(/^Scaling: "demo" /m);
  expect(output).toMatch(/^PASS /m);
  expect(output).not.toContain('FAIL');
  expect(exitCode, output).toBe(0);
}, 60_000);

type Incidents = readonly (readonly [incident: string, alert: string, pool: string])[];

function namesOf(all: Incidents): string[] {
  return all.map(([, alert, pool]) => `${alert} ${pool}`).toSorted();
}

/** In the order in which they came, but for those of the first incidents, which come in any. */
function paged(): string[] {
  const pages = pager.pages.map(({ name, labels }) => `${name} ${labels[label.poolName] ?? ''}`);
  const { length } = incidents;
  return [...pages.slice(0, length).toSorted(), ...pages.slice(length).toSorted()];
}

/** Begins the incidents, and ends them when each has raised its alert. */
async function go(all: Incidents, meanwhile?: () => Promise<void>): Promise<void> {
  const names = [...new Set(all.map(([name]) => name))];
  for (const name of names) expect((await ask(name, 'POST')).status).toBe(202);
  const alerts = all.map(([, alert]) => alert).toSorted();
  await expect.poll(() => pager.firing, WAIT).toEqual(alerts);
  await meanwhile?.();
  await Promise.all(names.map((name) => ask(name, 'DELETE')));
  await expect.poll(() => pager.firing, WAIT).toEqual([]);
}

function ask(incident: string, method: 'POST' | 'DELETE'): Promise<Response> {
  return fetch(`${url}/incidents/${incident}`, { method });
}

function startDemo(port: number): ChildProcessByStdio<null, Readable, Readable> {
  const { PATH, HOME, DAL_SERVERS_CACHE } = process.env;
  const started = spawn(
    process.execPath,
    [
      '--conditions=@dal/source',
      // So that the memory can be filled in no time.
      '--max-old-space-size=150',
      '--max-semi-space-size=1',
      program,
      '--watch',
      '--server',
      'postgres',
      '--seconds',
      '1',
      '--workers',
      '1',
      '--port',
      String(port),
    ],
    {
      env: {
        ...(PATH === undefined ? {} : { PATH }),
        ...(HOME === undefined ? {} : { HOME }),
        ...(DAL_SERVERS_CACHE === undefined ? {} : { DAL_SERVERS_CACHE }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  for (const stream of [started.stdout, started.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return started;
}
