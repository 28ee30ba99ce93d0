import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createDatabase } from '@dal/factory';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';

const engines = inject('engines');
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-demo-test-'));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

test('without configuration the demo runs on a file and leaves nothing behind', async () => {
  const { exitCode, output, errors } = await finished(start(['--seconds', '1']));
  expect(errors).toBe('');
  expect(exitCode, output).toBe(0);
  expect(output).toMatch(/^sqlite \d/);
  expect(output).toMatch(/^Scaling: .*"demo"/m);
  expectAllShows(output);
  expect(await readdir(home)).toEqual([]);
}, 60_000);

test.each(engines)(
  'on $name all shows pass, no cent is lost, and no table stays',
  async ({ name, url }) => {
    const { exitCode, output, errors } = await finished(
      start(['--seconds', '1', '--workers', '4'], { DATABASE_URL: url }),
    );
    expect(errors).toBe('');
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(new RegExp(`^${name} \\d`));
    expectAllShows(output);
    expect(output).not.toContain(passwordOf(url) ?? '\0');
    expect(await tablesLeft(name, url, output)).toBe(0);
  },
  60_000,
);

test.each(engines)(
  'Ctrl-C on $name ends the work in good order, and the money still fits',
  async ({ name, url }) => {
    const demo = start(['--seconds', '60'], { DATABASE_URL: url });
    const running = finished(demo);
    await saidOn(demo.stdout, 'workers move money');
    await new Promise((resolve) => setTimeout(resolve, 500));
    // As a terminal does: to the whole group.
    process.kill(-(demo.pid as number), 'SIGINT');
    const { exitCode, output, errors } = await running;
    expect(errors).toBe('');
    expect(output).toContain('Stopping: running transactions end first.');
    expect(output).toMatch(/^PASS /m);
    expect(output).not.toContain('FAILED');
    expect(exitCode, output).toBe(130);
    expect(await tablesLeft(name, url, output)).toBe(0);
  },
  60_000,
);

test('with --watch it goes on until Ctrl-C, and answers to this machine', async () => {
  const demo = start(['--watch', '--seconds', '0.2', '--workers', '1']);
  const running = finished(demo);
  const said = await saidOn(demo.stdout, 'Watching until Ctrl-C');
  const address = /metrics (http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(said)?.[1];
  expect(address).toBeDefined();
  const metrics = await fetch(`${address}/metrics`);
  expect(await metrics.text()).toMatch(
    /^db_client_connection_limit\{db_client_connection_pool_name="demo".*\} 5$/m,
  );
  const page = await fetch(`${address}/`);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect((await fetch(`${address}/incidents/leak`, { method: 'POST' })).status).toBe(202);
  expect(await (await fetch(`${address}/incidents`)).text()).toContain('* leak');
  const foreign = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } };
  expect((await fetch(`${address}/incidents/crowd`, foreign)).status).toBe(403);
  process.kill(-(demo.pid as number), 'SIGINT');
  const { exitCode, output, errors } = await running;
  expect(errors).toBe('');
  expect(output).toMatch(/^PASS /m);
  expect(exitCode, output).toBe(0);
}, 60_000);

test.each([
  [['--sekonds', '3'], 'Did you mean "--seconds"?'],
  [['--seconds', 'many'], '--seconds needs a number'],
  [['--workers', '0'], '--workers needs a whole number'],
  [['--server', 'postgrs'], 'Did you mean "postgres"?'],
  [['now'], 'Unknown "now"'],
])('%j is refused with a word of advice', async (args, advice) => {
  const { exitCode, output, errors } = await finished(start(args));
  expect(exitCode).toBe(2);
  expect(output).toBe('');
  expect(errors).toContain(advice);
  expect(errors).not.toContain('at ');
});

test('a database that cannot bear the demo is refused with the reason', async () => {
  const { exitCode, errors } = await finished(start([], { DATABASE_URL: 'sqlite::memory:' }));
  expect(exitCode).toBe(2);
  expect(errors).toContain('The demo needs');
});

test('a server that is not there is said so, without a stack', async () => {
  const url = 'postgres://app:hunter2@127.0.0.1:1/shop';
  const { exitCode, errors } = await finished(start([], { DATABASE_URL: url }));
  expect(exitCode).toBe(1);
  expect(errors).toContain('ECONNREFUSED');
  expect(errors).not.toMatch(/hunter2|\n {4}at /);
});

test('--help lists every option', async () => {
  const { exitCode, output } = await finished(start(['--help']));
  expect(exitCode).toBe(0);
  for (const option of [
    '--server',
    '--seconds',
    '--workers',
    '--watch',
    '--port',
    'DATABASE_URL',
    'Ctrl-C',
  ]) {
    expect(output).toContain(option);
  }
});

type Demo = ChildProcessByStdio<null, Readable, Readable>;

function start(args: readonly string[], env: Record<string, string> = {}): Demo {
  const { PATH } = process.env;
  return spawn(process.execPath, ['--conditions=@dal/source', program, ...args], {
    // A group of its own, so that a signal for it does not end the tests.
    detached: true,
    env: { ...(PATH === undefined ? {} : { PATH }), TMPDIR: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finished(
  demo: Demo,
): Promise<{ exitCode: number | null; output: string; errors: string }> {
  let output = '';
  let errors = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  demo.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [exitCode] = (await once(demo, 'close')) as [number | null];
  return { exitCode, output, errors };
}

async function saidOn(stream: Readable, words: string): Promise<string> {
  let said = '';
  for (;;) {
    const [text] = (await once(stream, 'data')) as [string];
    said += text;
    if (said.includes(words)) return said;
  }
}

function expectAllShows(output: string): void {
  for (const show of [
    'A statement hangs',
    'A pool runs dry',
    'A connection is killed',
    'A report is streamed',
  ]) {
    expect(output).toMatch(new RegExp(`^${show} \\(\\d+ ms\\): ok$`, 'm'));
  }
  expect(output).toMatch(/^order \(transaction\) +[1-9]/m);
  expect(output).toMatch(/^PASS /m);
  // Neither colours nor a line that is drawn over.
  // oxlint-disable-next-line no-control-regex
  expect(output).not.toMatch(/[\u001B\r]/);
}

async function tablesLeft(name: string, url: string, output: string): Promise<number> {
  const tables = /tables (dal_demo_[0-9a-f]{6}_)\*/.exec(output)?.[1];
  expect(tables).toBeDefined();
  await using db = await createDatabase(url);
  const [table, column] =
    name === 'sqlite' ? ['sqlite_master', 'name'] : ['information_schema.tables', 'table_name'];
  const text = `SELECT count(*) FROM ${table} WHERE ${column} LIKE ?`;
  return Number(await db.queryValue(text, [`${tables}%`]));
}

function passwordOf(url: string): string | undefined {
  return /\/\/[^:/@]+:([^@]+)@/.exec(url)?.[1];
}
