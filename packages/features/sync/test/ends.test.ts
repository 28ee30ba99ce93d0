import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openEngine } from './open-databases.ts';

enableSync();

/** What `user-worker.ts` tells of its calls. */
interface Report {
  readonly answers: readonly unknown[];
  readonly from: number;
  readonly to: number;
}

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dal-sync-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const SOURCES = '--conditions=@dal/source';

describe.each(inject('engines'))('$name', (engine) => {
  test('close() leaves no thread and no session on the server', async () => {
    const path = join(folder, 'closed.db');
    await using watcher = openEngine(engine, path);
    const threadsBefore = threads();
    const db = openEngine(engine, path);
    const ids = db.sync.connection((first) =>
      db.sync.connection((second) => [sessionId(first), sessionId(second)]),
    );
    expect(threads()).toBe(threadsBefore + 1);
    await db.close();
    expect(threads()).toBe(threadsBefore);
    expect(() => db.sync.query('SELECT 1')).toThrow(
      expect.objectContaining({ code: 'DAL_CLOSED' }),
    );
    await expect.poll(() => alive(ids)).toBe(0);

    function sessionId(
      on: typeof db.sync | Parameters<Parameters<typeof db.sync.connection>[0]>[0],
    ) {
      if (engine.name === 'sqlite') return 0;
      const call = engine.name === 'postgres' ? 'pg_backend_pid()' : 'connection_id()';
      return Number(on.queryValue(`SELECT ${call}`));
    }

    async function alive([first, second]: number[]): Promise<number> {
      if (engine.name === 'sqlite') return 0;
      const from =
        engine.name === 'postgres'
          ? 'pg_stat_activity WHERE pid'
          : 'information_schema.processlist WHERE id';
      return Number(
        await watcher.queryValue(`SELECT count(*) FROM ${from} IN (?, ?)`, [first, second]),
      );
    }
  });
});

describe('a program', () => {
  const engine = inject('engines').find(({ name }) => name === 'postgres')!;

  test('with worker threads blocks each of them its own way', async () => {
    const text = "SELECT CASE WHEN pg_sleep(0.15)::text = 'x' THEN -1 ELSE ?::int END";
    const rounds = 4;
    const workers = Array.from(
      { length: 3 },
      () =>
        new Worker(new URL('./user-worker.ts', import.meta.url), {
          workerData: { engine: { ...engine }, path: '', text, rounds },
          execArgv: [SOURCES],
        }),
    );
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const reports = await Promise.all(
      workers.map(async (worker) => {
        worker.postMessage('go', []);
        const [report] = (await once(worker, 'message')) as [Report];
        return report;
      }),
    );
    for (const { answers } of reports) expect(answers).toEqual([0, 1, 2, 3]);
    // All of them were at it at the same time.
    const lastFrom = Math.max(...reports.map(({ from }) => from));
    const firstTo = Math.min(...reports.map(({ to }) => to));
    expect(lastFrom).toBeLessThan(firstTo);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  test('that never closes ends by itself, and may block until its last moment', async () => {
    const program = join(folder, `${engine.name}.ts`);
    await writeFile(
      program,
      `import { enableSync } from ${JSON.stringify(fileURLToPath(new URL('../src/index.ts', import.meta.url)))};
       import { openEngine } from ${JSON.stringify(fileURLToPath(new URL('./open-databases.ts', import.meta.url)))};
       enableSync();
       const db = openEngine(${JSON.stringify({ ...engine })}, ${JSON.stringify(join(folder, 'ends.db'))});
       console.log(Number(db.sync.queryValue('SELECT 1')));
       process.on('exit', () => console.log(Number(db.sync.queryValue('SELECT 2'))));`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [SOURCES, program], {
      timeout: 20_000,
    });
    expect(stdout).toBe('1\n2\n');
  });
});

test('without enableSync() the error says what to install and to call', async () => {
  const program = join(folder, 'disabled.ts');
  const drivers = fileURLToPath(new URL('./open-databases.ts', import.meta.url));
  await writeFile(
    program,
    `import { openEngine } from ${JSON.stringify(drivers)};
     try { openEngine({ name: 'sqlite', url: '' }, 'x.db').sync.query('SELECT 1'); }
     catch (error) { console.log(error.code, error.message); }`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [SOURCES, program]);
  expect(stdout).toMatch(/^DAL_SYNC_MISSING .*npm install @dal\/sync.*enableSync\(\)/);
});

function threads(): number {
  return (process.report.getReport() as { readonly workers: readonly unknown[] }).workers.length;
}
