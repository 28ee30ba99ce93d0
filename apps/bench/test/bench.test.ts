import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { CapacityFigures } from '../src/capacity.ts';
import type { CheckoutFigures } from '../src/checkout.ts';
import type { SavedFigures } from '../src/main.ts';
import type { OutageFigures } from '../src/outage.ts';
import { readArguments } from '../src/read-arguments.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, '../src/main.ts');
const engines = inject('engines');

/** The same servers as the other tests have. */
const env = {
  ...process.env,
  ...Object.fromEntries(
    engines.map(({ name, url }) => [`DAL_TEST_${name.toUpperCase()}_URL`, url]),
  ),
  NODE_OPTIONS: '',
};

async function bench(...given: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--conditions=@dal/source', main, ...given], {
    env,
    maxBuffer: 16 * 2 ** 20,
  });
  return stdout;
}

interface Figures {
  readonly comparisons: readonly {
    readonly engine: string;
    readonly task: string;
    readonly callers: number;
    readonly rounds: number;
    readonly contenders: readonly {
      readonly name: string;
      readonly side: string;
      readonly perSecond: { readonly low: number; readonly median: number; readonly high: number };
      readonly cpuUs: { readonly median: number };
      readonly peakMiB?: { readonly median: number };
      readonly speedTo: Readonly<Record<string, { readonly median: number }>>;
    }[];
  }[];
  readonly layerCost: readonly { readonly us: Readonly<Record<string, { median: number }>> }[];
  readonly aims: readonly { readonly ours: string; readonly theirs: string; verdict: string }[];
}

async function figures(...given: string[]): Promise<Figures> {
  const found = JSON.parse(await bench(...given, '--json')) as Figures;
  for (const { contenders } of found.comparisons) {
    const sides = new Set(contenders.map(({ side }) => side));
    expect(sides).toContain('dal');
    expect(sides).toContain('raw');
    for (const { name, side, perSecond, cpuUs, speedTo } of contenders) {
      expect(perSecond.median, name).toBeGreaterThan(0);
      expect(perSecond.low).toBeLessThanOrEqual(perSecond.high);
      expect(cpuUs.median, name).toBeGreaterThan(0);
      if (side === 'raw') expect(speedTo[name]?.median).toBe(1);
    }
  }
  return found;
}

const named = engines.map(({ name }) => name).join(',');
const tiny = ['--engine', named, '--rounds', '1'];

describe.concurrent('the benchmarks', { timeout: 120_000 }, () => {
  test('hot-path measures every engine, and everybody answers the same', async () => {
    const found = await figures('hot-path', ...tiny, '--slice-ms', '3', '--callers', '3');
    expect(found.comparisons).toHaveLength(engines.length * 3);
    expect(new Set(found.comparisons.map(({ engine }) => engine)).size).toBe(engines.length);
    expect(found.layerCost).toHaveLength(1);
    for (const { us } of found.layerCost) expect(us['db.query']?.median).toBeGreaterThan(0);
    expect(found.aims.length).toBeGreaterThanOrEqual(engines.length);
    for (const { verdict } of found.aims) expect(verdict).toMatch(/^(?:met|close|missed)$/);
  });

  test('bulk loads the rows with everybody', async () => {
    const found = await figures('bulk', ...tiny, '--rows', '300');
    expect(found.comparisons.map(({ engine }) => engine).join(',')).toBe(
      ['postgres', 'mysql', 'mariadb', 'sqlite'].filter((name) => named.includes(name)).join(','),
    );
  });

  test('stream reads every row, in a process of its own', async () => {
    const found = await figures('stream', '--engine', 'sqlite', '--rounds', '1', '--rows', '3000');
    const [comparison] = found.comparisons;
    expect(comparison?.contenders.map(({ name }) => name)).toEqual([
      'better-sqlite3 cached',
      'db.stream inline',
      'db.stream process',
    ]);
    for (const { peakMiB } of comparison?.contenders ?? []) {
      expect(peakMiB?.median).toBeGreaterThan(10);
    }
  });

  test('checkout measures every pool by itself, and what a waiter weighs', async () => {
    const found = JSON.parse(
      await bench(...'checkout --rounds 1 --slice-ms 3 --callers 1,30 --json'.split(' ')),
    ) as CheckoutFigures;
    expect(found.contenders.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'bare queue',
        'dal',
        'tarn',
        'pg-pool',
        'generic-pool',
        'lightning-pool',
        'sequelize-pool',
        'mysql2',
      ]),
    );
    for (const { name, waiterBytes, throughput } of found.contenders) {
      expect(waiterBytes.median, name).toBeGreaterThan(50);
      expect(waiterBytes.median, name).toBeLessThan(5_000);
      expect(throughput.map(({ callers }) => callers)).toEqual([1, 30]);
      for (const { ns } of throughput) expect(ns.median, name).toBeGreaterThan(10);
    }
    // One for each number of callers, and one for the memory of a waiter; speed depends on the day.
    expect(found.aims).toHaveLength(3);
    expect(found.aims.at(-1)).toMatchObject({ verdict: 'met' });
  });

  test('outage hurts everybody alike, and counts what each made of it', async () => {
    const { outages, aims } = JSON.parse(
      await bench('outage', '--quick', '--engine', 'postgres', '--fault', 'killed idle', '--json'),
    ) as OutageFigures;
    expect(aims.map(({ outages: judged, missed }) => [judged, missed.length])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 0],
    ]);
    const [{ fault, results } = { fault: undefined, results: [] }] = outages;
    expect([outages.length, fault]).toEqual([1, 'killed idle']);
    const [dal, pool, listener] = results;
    expect(dal).toMatchObject({ contender: 'DAL', wrong: 0, failedYetDone: 0, hanging: 0 });
    expect(dal).not.toHaveProperty('died');
    expect(dal?.done).toBeGreaterThan(100);
    expect(dal?.recoveryMs).toBeLessThan(1_000);
    // Known: without a listener for its errors, the process of pg.Pool doesn't live through it.
    expect(pool).toMatchObject({ contender: 'pg.Pool', died: expect.any(String) as string });
    expect(pool).not.toHaveProperty('recoveryMs');
    expect(listener).not.toHaveProperty('died');
  });

  test("capacity: a pool serves what Little's law gives, and refuses the rest", async () => {
    const given = 'capacity --quick --engine postgres --processes 1 --load 50,150 --json';
    const { capacities } = JSON.parse(await bench(...given.split(' '))) as CapacityFigures;
    const [half, tooMuch] = capacities[0]?.loads ?? [];
    expect(half).toMatchObject({ factor: 0.5, timeouts: 0, otherErrors: 0 });
    expect(half?.donePerSecond).toBeGreaterThan(80);
    expect(tooMuch).toMatchObject({ factor: 1.5, otherErrors: 0 });
    // A third, and more on a machine that is too busy to hand connections on at once.
    expect(tooMuch?.timeouts).toBeGreaterThan(0.25);
    expect(tooMuch?.donePerSecond).toBeLessThan(210);
  });

  test('without --json there is a table, with the aims below it; --save keeps both', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dal-bench-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'results', 'hot-path.json');
    const given = 'hot-path --engine sqlite --case read --callers 1 --rounds 2 --slice-ms 3';
    const text = await bench(...given.split(' '), '--save', file);
    const saved = JSON.parse(await readFile(file, 'utf8')) as Figures & SavedFigures;
    expect(saved.command).toBe(`bench ${given}`);
    expect(saved.comparisons[0]?.contenders.length).toBeGreaterThan(1);
    expect(Date.parse(saved.date)).toBeGreaterThan(Date.now() - 60_000);
    for (const part of saved.shown) expect(text).toContain(part);
    expect(text).toMatch(/^1 caller +calls\/s +client us\/call +\/ better-sqlite3 cached/m);
    expect(text).toMatch(/^aim: db\.query inline at most 2 x the CPU of better-sqlite3 cached: /m);
    expect(text).toMatch(/^The layer's own cost/m);
  });
});

test('a wrong command ends with the likely right one, and with status 1', async () => {
  await expect(bench('hot-pat')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Did you mean "hot-path"?') as string,
  });
});

test.each([
  ['bulk --quik', 'Did you mean "--quick"?'],
  ['bulk --engine postgre', 'Did you mean "postgres"?'],
  ['hot-path --case reed', 'Did you mean "read"?'],
  ['bulk --rows many', '--rows is a whole number'],
  ['stream --rounds 0', '--rounds is a whole number from 1'],
  ['outage --fault frozn', 'Did you mean "frozen"?'],
  ['capacity --processes 0', '--processes is a whole number from 1'],
  ['bulk stream', 'One command, please.'],
])('%j is refused', (given, words) => {
  expect(() => readArguments(given.split(' '))).toThrow(words);
});

test('options have defaults, and quick ones', () => {
  expect(readArguments(['bulk'])).toMatchObject({ rows: 100_000, rounds: 9, json: false });
  expect(readArguments(['--', 'stream', '--quick', '--json'])).toMatchObject({
    command: 'stream',
    rows: 100_000,
    json: true,
  });
  expect(readArguments(['hot-path']).callers).toEqual([1, 20, 200]);
});
