import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { soon } from '../test/pool-stage.ts';
import {
  PRIMARY,
  type ServerStage,
  serverStage,
  STANDBY,
  StagedServer,
} from '../test/server-stage.ts';
import type { Lease } from './lease.ts';
import type { Pool } from './pool.ts';

// One clock for all: who watches deadlines keeps a timer between tests.
beforeAll(() => {
  vi.useFakeTimers({
    toFake: [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'setImmediate',
      'clearImmediate',
      'performance',
    ],
  });
});
afterAll(() => vi.useRealTimers());
afterEach(async () => {
  const closing = opened.splice(0).map((pool) => pool.close(0));
  await Promise.all([...closing, time(20_000)]);
});

const opened: Pool[] = [];

function stageOf(...parts: Parameters<typeof serverStage>): ServerStage {
  const stage = serverStage(...parts);
  opened.push(stage.pool);
  return stage;
}

const time = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** A promise that is looked at while time stands still. */
function watch<T>(work: Promise<T>): { value?: T; error?: { code?: string; message: string } } {
  const seen: ReturnType<typeof watch<T>> = {};
  work.then(
    (value) => (seen.value = value),
    (error: { code?: string; message: string }) => (seen.error = error),
  );
  return seen;
}

function nameOf(lease: Lease | undefined): string | undefined {
  return (lease?.session.connection.raw as StagedServer | undefined)?.name;
}

function pair(): [StagedServer, StagedServer] {
  // A gate is the process's own, so each test has servers of its own.
  const number = ++pairs;
  return [new StagedServer(`a${number}`, PRIMARY), new StagedServer(`b${number}`, STANDBY)];
}
let pairs = 0;

test('servers are tried in order, and later sessions go straight to the one that will do', async () => {
  const [second, first] = pair();
  const { pool } = stageOf([first, second]);
  const one = watch(pool.acquire(soon()));
  await time(20);
  expect(nameOf(one.value)).toBe(second.name);
  expect([first.knocks, second.knocks, first.open.size]).toEqual([1, 1, 0]);
  const two = watch(pool.acquire(soon()));
  await time(20);
  expect(nameOf(two.value)).toBe(second.name);
  expect([first.knocks, second.knocks]).toEqual([1, 2]);
});

test('a silent server is not waited for when there is another one, and not knocked at again', async () => {
  const [second, first] = pair();
  first.manner = 'silent';
  const { pool } = stageOf([first, second]);
  const lease = watch(pool.acquire(soon()));
  await time(249);
  expect(second.knocks).toBe(0);
  await time(20);
  expect(nameOf(lease.value)).toBe(second.name);
  watch(pool.acquire(soon()));
  await time(20);
  expect([first.knocks, second.knocks]).toEqual([1, 2]);
});

test('all silent: whoever waits is told why, and the first one to wake up serves', async () => {
  const [first, second] = pair();
  const { pool, run } = stageOf([first, second], { max: 1 });
  const served = watch(pool.acquire(soon()));
  await time(20);
  await Promise.all([run(served.value as Lease), time(20)]);
  first.manner = 'silent';
  second.manner = 'silent';
  await time(2_000);
  // It has rested, gives no sign of life, and nothing else comes up.
  const waiting = watch(pool.acquire(soon(4_000)));
  await time(4_100);
  expect(waiting.error?.message).toContain(first.name);
  const patient = watch(pool.acquire(soon(4_000)));
  await time(500);
  expect(patient).toEqual({});
  first.manner = 'answers';
  await time(300);
  expect(nameOf(patient.value)).toBe(first.name);
  expect(first.most).toBe(1);
});

test('close gives up a search, and leaves no timer', async () => {
  const [first, second] = pair();
  first.manner = 'silent';
  second.manner = 'silent';
  const { pool } = stageOf([first, second]);
  const timers = vi.getTimerCount();
  const asked = watch(pool.acquire(soon(60_000)));
  await time(300);
  expect([first.knocks, second.knocks]).toEqual([1, 1]);
  const closed = watch(pool.close(5_000));
  await time(5);
  expect(asked.error?.code).toBe('DAL_CLOSED');
  expect(closed.value).toMatchObject({ destroyed: 0 });
  // The one of all deadlines together is lazy, and keeps no process alive.
  expect(vi.getTimerCount()).toBeLessThanOrEqual(timers + 1);
  await time(60_000);
  expect([first.knocks, second.knocks]).toEqual([1, 1]);
});

test('a refused write ends all sessions of that server, and the new primary is found in time', async () => {
  const [first, second] = pair();
  const { pool, run } = stageOf([first, second]);
  const leases = [watch(pool.acquire(soon())), watch(pool.acquire(soon()))];
  await time(20);
  first.role = STANDBY;
  const refused = watch(run(leases[0]?.value as Lease));
  await time(20);
  expect(refused.error?.message).toBe('readOnly');
  expect(first.open.size).toBe(0);
  expect(leases[1]?.value?.session.lost).toBeInstanceOf(Error);

  // Nobody takes writes for a while: whoever asks waits.
  const next = watch(pool.acquire(soon(10_000)));
  await time(2_000);
  expect(next).toEqual({});
  expect(first.knocks + second.knocks).toBeLessThan(2 + 2 * 21);
  second.role = PRIMARY;
  await time(300);
  expect(nameOf(next.value)).toBe(second.name);
});

test('one that counts fewer changes of the primary is not believed', async () => {
  const [first, second] = pair();
  first.role = { ...PRIMARY, generation: 1 };
  const { pool, run } = stageOf([first, second], { max: 1 });
  const lease = watch(pool.acquire(soon()));
  await time(20);
  first.manner = 'refuses';
  watch(run(lease.value as Lease));
  second.role = { ...PRIMARY, generation: 2 };
  const next = watch(pool.acquire(soon()));
  await time(500);
  expect(nameOf(next.value)).toBe(second.name);
  // The old one is back, and the new one is gone.
  first.manner = 'answers';
  second.manner = 'refuses';
  watch(run(next.value as Lease));
  const last = watch(pool.acquire(soon(5_000)));
  await time(5_100);
  expect(last.error?.message).toMatch(`${first.name} is a former primary`);
  expect(first.statements).toBe(1);
});

/** Whole numbers, as GTIDs are: a server has all up to its own. */
class UpTo {
  readonly #count: number;
  readonly #writer: string;

  constructor(writer: string, count: number) {
    this.#writer = writer;
    this.#count = count;
  }

  includes(other: UpTo): boolean {
    return this.#writer === other.#writer && this.#count >= other.#count;
  }
}

test('one that was the primary has to follow its successor before it is believed again', async () => {
  const [first, second] = pair();
  first.role = { ...PRIMARY, history: new UpTo('a', 5) };
  const { pool, run } = stageOf([first, second], { max: 1 });
  const lease = watch(pool.acquire(soon()));
  await time(20);
  first.manner = 'refuses';
  watch(run(lease.value as Lease));
  second.role = { ...PRIMARY, history: new UpTo('b', 7) };
  const next = watch(pool.acquire(soon()));
  await time(500);
  expect(nameOf(next.value)).toBe(second.name);

  first.manner = 'answers';
  second.manner = 'refuses';
  watch(run(next.value as Lease));
  const waiting = watch(pool.acquire(soon(10_000)));
  await time(3_000);
  expect(waiting).toEqual({});
  first.role = { ...PRIMARY, history: new UpTo('b', 7) };
  await time(500);
  expect(nameOf(waiting.value)).toBe(first.name);
});

test('while the primary is silent its rivals are asked, on one session each, until it is heard', async () => {
  const [first, second] = pair();
  const { pool, run } = stageOf([first, second], { max: 2 });
  const [one, two] = [watch(pool.acquire(soon())), watch(pool.acquire(soon()))];
  await time(20);
  first.manner = 'silent';
  const running = [watch(run(one.value as Lease)), watch(run(two.value as Lease))];
  await time(3_000);
  expect([second.knocks, second.most]).toEqual([1, 1]);
  expect(second.asked).toBeGreaterThan(8);
  expect(second.asked).toBeLessThan(18);
  // The one that nothing is known against is not troubled beyond its places.
  expect(first.most).toBe(2);
  first.manner = 'answers';
  await time(200);
  expect(running).toEqual([{ value: undefined }, { value: undefined }]);
  const before = second.asked;
  await time(11_000);
  expect([second.asked, second.open.size]).toEqual([before, 0]);
});

test('a rival with a newer reign is gone to in half a second, and what hangs is ended', async () => {
  const [first, second] = pair();
  first.role = { ...PRIMARY, generation: 1 };
  const { pool, run } = stageOf([first, second], { max: 2 });
  const [one, two] = [watch(pool.acquire(soon())), watch(pool.acquire(soon()))];
  await time(20);
  first.manner = 'silent';
  const running = [watch(run(one.value as Lease)), watch(run(two.value as Lease))];
  const waiting = watch(pool.acquire(soon(60_000)));
  await time(5_000);
  expect([...running, waiting]).toEqual([{}, {}, {}]);
  second.role = { ...PRIMARY, generation: 2 };
  await time(500);
  expect(nameOf(waiting.value)).toBe(second.name);
  expect(running.every(({ error }) => error?.message === 'connection')).toBe(true);
  expect(first.open.size).toBe(0);

  first.manner = 'answers';
  const { statements } = first;
  watch(run(waiting.value as Lease));
  await time(2_000);
  expect(second.statements).toBe(1);
  expect(first.statements).toBe(statements);
});

test('statements that often take long do not make it knock at the others again and again', async () => {
  const [first, second] = pair();
  first.statementMs = 400;
  const { pool, run } = stageOf([first, second], { max: 1 });
  for (let turn = 0; turn < 20; turn++) {
    const lease = watch(pool.acquire(soon()));
    await time(20);
    watch(run(lease.value as Lease));
    await time(450);
  }
  expect(first.statements).toBe(20);
  expect(second.knocks).toBe(1);
  watch(pool.close(0));
  await time(1_000);
  expect(second.open.size).toBe(0);
});

test('a long statement is no silence of its server, whatever another one says of itself', async () => {
  const [first, second] = pair();
  const { pool, run } = stageOf([first, second], { max: 1 });
  const lease = watch(pool.acquire(soon()));
  await time(20);
  second.role = PRIMARY;
  first.statementMs = 60_000;
  const running = watch(run(lease.value as Lease));
  const { knocks } = first;
  await time(59_000);
  expect(running).toEqual({});
  // Asked again after one second, two, four, and so on; on one session more, for a moment.
  expect(first.knocks - knocks).toBeLessThan(8);
  expect(first.most).toBe(2);
  await time(2_000);
  expect(running).toEqual({ value: undefined });
  expect(second.statements).toBe(0);
});

test('with one server nothing of this costs anything', async () => {
  const [only] = pair();
  const { pool, run } = stageOf([only], {}, 'any');
  const lease = watch(pool.acquire(soon()));
  await time(20);
  only.manner = 'silent';
  const { knocks } = only;
  const timers = vi.getTimerCount();
  watch(run(lease.value as Lease));
  await time(5_000);
  expect([only.knocks, only.asked]).toEqual([knocks, 0]);
  expect(vi.getTimerCount()).toBeLessThanOrEqual(timers + 1);
});
