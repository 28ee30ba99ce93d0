// Statements that must end although the program can't end them: it is frozen, or it is dead.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { sqliteDriver } from '../src/index.ts';
import { connect, failure, holdsWithin, isAlive, newFile, open, run, STUCK } from './sessions.ts';

test.runIf(process.platform !== 'win32')(
  'a killed parent takes its session along, though a statement runs for ever',
  async () => {
    const { parent, pid } = await startParent(newFile(), 0, 'read');
    // Deep in the statement by now.
    await sleep(300);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await holdsWithin(2_000, () => !isAlive(pid))).toBe(true);
  },
);

test.runIf(process.platform !== 'win32')(
  'a frozen parent’s statement ends at its limit and frees the lock',
  async () => {
    const file = newFile();
    const { parent, pid } = await startParent(file, 1_500, 'write');
    parent.kill('SIGSTOP');
    const db = open({ path: file, busyTimeoutMs: 100 });
    const refused = await failure(db.execute('INSERT INTO t VALUES (1)'));
    expect(refused).toMatchObject({ kind: 'lockTimeout', fault: { applied: 'no' } });
    expect(await holdsWithin(5_000, () => !isAlive(pid))).toBe(true);
    await db.execute('INSERT INTO t VALUES (2)');
    expect(await db.queryValue('SELECT count(*) FROM t')).toBe(1);
  },
);

test('a limit ends the statement as a timeout, and not one that is shorter', async () => {
  const session = await connect();
  await session.limit?.(700);
  const text = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10) SELECT count(*) AS n FROM c`;
  // Longer than the limit in all, with rests between.
  for (let turn = 0; turn < 12; turn++) {
    expect((await run(session, text)).rows).toEqual([{ n: 10 }]);
    await sleep(100);
  }
  const began = performance.now();
  const error = await failure(run(session, STUCK));
  expect(sqliteDriver.classify(error)).toMatchObject({
    kind: 'statementTimeout',
    connectionLost: true,
    applied: 'no',
  });
  expect(error?.message).toContain('700 ms');
  expect(performance.now() - began).toBeLessThan(4_000);
});

test('no limit, no end', async () => {
  const session = await connect();
  await session.limit?.(300);
  await session.limit?.(0);
  const stuck = failure(run(session, STUCK));
  await sleep(2_000);
  expect(isAlive(session.raw.pid)).toBe(true);
  session.destroy?.();
  expect(await stuck).toBeDefined();
});

async function startParent(
  file: string,
  limitMs: number,
  what: 'read' | 'write',
): Promise<{ parent: ChildProcess; pid: number }> {
  const program = join(import.meta.dirname, 'session-parent.ts');
  const parent = fork(program, [file, String(limitMs), what], {
    execArgv: ['--conditions=@dal/source', '--disable-warning=ExperimentalWarning'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [pid] = (await once(parent, 'message')) as [number];
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return { parent, pid };
}
