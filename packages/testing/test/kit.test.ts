import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Driver } from '@dal/core';
import { sqliteDriver } from '@dal/sqlite';
import { type Card, type ConformanceOptions, runConformance } from '@dal/testing/conformance';
import { fakeDriver } from '@dal/testing/fake';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectRun, failedChapters } from './collect-run.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dal-kit-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function sqliteIn(file: string): Pick<ConformanceOptions, 'driver' | 'config' | 'stuckStatement'> {
  return {
    driver: sqliteDriver,
    config: { path: join(folder, file), runsIn: 'inline', busyTimeoutMs: 100 },
    stuckStatement: false,
  };
}

describe.concurrent('the kit', () => {
  test('the same driver gets the same card, and an equal card is not written again', async () => {
    const cardFile = join(folder, 'conformance.json');
    const { card } = await collectRun({ ...sqliteIn('card-a.db'), cardFile });
    const text = await readFile(cardFile, 'utf8');
    expect(JSON.parse(text)).toEqual(card);
    const { mtimeMs } = await stat(cardFile);
    await collectRun({ ...sqliteIn('card-b.db'), cardFile });
    expect(await readFile(cardFile, 'utf8')).toBe(text);
    expect((await stat(cardFile)).mtimeMs).toBe(mtimeMs);
    expect(text).not.toMatch(/\d\d:\d\d|20\d\d-/);
    expect(card).toMatchObject({ name: 'sqlite', flavor: 'sqlite', driver: 'better-sqlite3' });
    expect(card.failed).toEqual({});
  });

  test('each skipped test says which declaration it follows from', async () => {
    const { card, titles } = await collectRun(sqliteIn('skips.db'));
    expect(card.skipped).toMatchObject({
      'values: arrays come back as arrays, where the engine has them': 'dialect.arrays is not set',
      'timeouts: a cancel that comes too late hits no later statement': 'sessions have no cancel()',
    });
    for (const title of Object.keys(card.skipped)) expect(titles).toContain(title);
    expect(card.optionalMembers).toBe(
      'destroy, load, queryMany, reset, statements, status, stream, version',
    );
  });

  test('what fails beyond the declared level fails no test, and stands in the card', async () => {
    // Nothing of a row that is loaded ever arrives.
    const lossy: Driver = {
      ...sqliteDriver,
      async connect(...args) {
        const session = await sqliteDriver.connect(...(args as Parameters<typeof sqliteDriver.connect>)); // prettier-ignore
        session.load = async () => 0;
        return session;
      },
    };
    const failing = async (level: 'steady' | 'full', wanted: RegExp): Promise<string[]> => {
      const tests: { title: string; run: () => Promise<void> }[] = [];
      const options = { ...sqliteIn(`level-${level}.db`), driver: lossy, level };
      runConformance({
        ...options,
        test: (title, body) => tests.push({ title, run: body }),
        onCard: (card) => cards.push(card),
      });
      const failed: string[] = [];
      for (const { title, run: body } of tests) {
        if (wanted.test(title)) await body().catch(() => failed.push(title));
      }
      return failed;
    };
    const cards: Card[] = [];
    const broken = 'bulk: bulkInsert stores what a statement stores';
    expect(await failing('steady', /./)).toEqual([]);
    expect(cards[0]?.level).toBe('steady');
    expect(Object.keys(cards[0]?.failed ?? {})).toContain(broken);
    expect(await failing('full', /^bulk/)).toContain(broken);
  });

  test('a run of a part says nothing of the whole', async () => {
    const tests: { title: string; body: () => Promise<void> }[] = [];
    const cards: Card[] = [];
    runConformance({
      ...sqliteIn('part.db'),
      test: (title, body) => tests.push({ title, body }),
      onCard: (card) => cards.push(card),
    });
    for (const { title, body } of tests) {
      if (title.startsWith('values') || title === 'the card') await body();
    }
    expect(cards).toEqual([]);
  });

  test('a driver without a database behind it is found out', { timeout: 300_000 }, async () => {
    const tests: { title: string; body: () => Promise<void> }[] = [];
    runConformance({
      driver: fakeDriver(),
      config: {},
      stuckStatement: false,
      test: (title, body) => tests.push({ title, body }),
    });
    const failed: string[] = [];
    for (const { title, body } of tests) {
      if (!title.startsWith('values')) continue;
      await body().catch(() => failed.push(title));
    }
    expect(failed.length).toBeGreaterThan(15);
  });

  test("runs under Node's own test runner too", { timeout: 120_000 }, async () => {
    const { stdout } = await run(
      process.execPath,
      [
        '--conditions=@dal/source',
        '--test',
        '--test-reporter=tap',
        join(import.meta.dirname, 'node-test-run.ts'),
      ],
      {
        env: { ...process.env, DAL_KIT_FILE: join(folder, 'node-test.db'), NODE_OPTIONS: '' },
        maxBuffer: 16 * 2 ** 20,
      },
    );
    expect(stdout).toMatch(/# Subtest: values/);
    expect(stdout).toMatch(/# fail 0/);
    expect(Number(/# pass (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(100);
    expect(stdout).toMatch(/# SKIP dialect\.arrays is not set/);
  });
});

test('failedChapters names what failed', () => {
  const chapters = {
    values: { passed: 1, failed: 0, skipped: 0 },
    errors: { passed: 0, failed: 1, skipped: 0 },
  };
  expect(failedChapters({ chapters } as unknown as Card)).toEqual(['errors']);
});
