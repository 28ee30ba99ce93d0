// Several writers and one lock: they wait for each other, and a deadline ends the wait.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { failure, newFile, open } from './sessions.ts';

const PROGRAMS = 3;
const EACH = 40;

test('writers of three programs queue: nobody is refused, nothing is lost', async () => {
  const path = newFile();
  const db = open({ path });
  await db.execute('CREATE TABLE counter (n INTEGER)');
  await db.execute('INSERT INTO counter VALUES (0)');
  await db.execute('CREATE TABLE log (id INTEGER PRIMARY KEY)');
  const programs = Array.from({ length: PROGRAMS }, () => {
    const program = fork(join(import.meta.dirname, 'writer-process.ts'), [path, String(EACH)], {
      execArgv: ['--conditions=@dal/source', '--disable-warning=ExperimentalWarning'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    onTestFinished(() => void program.kill('SIGKILL'));
    return program;
  });
  await Promise.all(programs.map((program) => once(program, 'message')));
  const ends = programs.map((program) => once(program, 'message'));
  for (const program of programs) program.send('go');
  const errors = (await Promise.all(ends)).flatMap(([list]) => list as string[]);
  expect(errors).toEqual([]);
  expect(await db.queryValue('SELECT n FROM counter')).toBe(PROGRAMS * EACH);
  expect(await db.queryValue('SELECT count(*) FROM log')).toBe(PROGRAMS * EACH);
}, 60_000);

test('a deadline on a locked database ends in time, as what it is', async () => {
  const path = newFile();
  const holder = open({ path });
  await holder.execute('CREATE TABLE t (n INTEGER)');
  const db = open({ path });
  await db.query('SELECT 1');
  const patient = open({ path, busyTimeoutMs: 200 });
  await patient.query('SELECT 1');
  await using lock = await holder.acquire();
  await lock.begin();
  await lock.execute('INSERT INTO t VALUES (0)');

  const began = performance.now();
  const [late, refused] = await Promise.all([
    failure(db.execute('INSERT INTO t VALUES (1)', [], { timeoutMs: 300 })),
    failure(patient.execute('INSERT INTO t VALUES (2)', [], { timeoutMs: 5_000 })),
  ]);
  expect(late).toMatchObject({ kind: 'statementTimeout' });
  expect(refused).toMatchObject({ kind: 'lockTimeout', fault: { applied: 'no' } });
  expect(performance.now() - began).toBeLessThan(2_500);

  await lock.commit();
  await db.execute('INSERT INTO t VALUES (3)');
  expect(await db.query('SELECT n FROM t ORDER BY n')).toEqual([{ n: 0 }, { n: 3 }]);
});
