import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createDatabase } from '@dal/factory';
import { describe, expect, inject, test } from 'vitest';
import { type MigrationStage, setStage } from './migration-stage.ts';
import { startMigrating } from './start-migrating.ts';

const MAIN = resolve(import.meta.dirname, '../../packages/features/migrate/src/main.ts');

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Promise<Answer> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      ['--conditions=@dal/source', MAIN, ...args],
      { env: { ...process.env, ...env }, ...(cwd === undefined ? {} : { cwd }) },
      (_error, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

function command({ url, dir, table }: MigrationStage, ...args: string[]): Promise<Answer> {
  return run([...args, '--url', url, '--dir', dir, '--table', table]);
}

// Each test starts processes, on machines that may have much else to do.
const PATIENCE = { timeout: 90_000 };

test.each(inject('engines'))('$name: up as a process of its own', PATIENCE, async (engine) => {
  await using stage = await setStage(engine);
  await stage.write({ '1_a.sql': 'CREATE TABLE {p}a (id INT);' });
  const up = await command(stage, 'up', '--json');
  expect(up.code).toBe(0);
  expect(JSON.parse(up.stdout)).toMatchObject({ migrations: [{ name: '1_a', direction: 'up' }] });
  expect(up.stderr).toMatch(/^up 1_a \(\d+ ms\)\n$/);
  expect(await stage.tables()).toEqual(['a', 'history']);
});

const sqlite = inject('engines').filter(({ name }) => name === 'sqlite');

describe.each(sqlite)('on one engine ($name)', PATIENCE, (engine) => {
  test('a lock held by another process ends it with 4, a signal with 130', async () => {
    await using stage = await setStage(engine);
    await stage.write({
      '1_a.mjs': `export async function up({ signal }) {
  process.send?.({ log: 'at work' });
  const timer = setInterval(() => undefined, 1000);
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  clearInterval(timer);
}`,
    });
    await using holder = startMigrating(stage);
    await holder.says('at work');
    const locked = await command(stage, 'up', '--wait', '200ms');
    expect(locked.code).toBe(4);
    expect(locked.stderr).toContain('Another process still migrates this database');
    holder.child.kill('SIGKILL');
    await holder.ended;
    const args = ['up', '--url', stage.url, '--dir', stage.dir, '--table', stage.table];
    const stopped = fork(MAIN, args, { execArgv: ['--conditions=@dal/source'], silent: true });
    stopped.once('message', () => stopped.kill('SIGINT'));
    expect((await once(stopped, 'close'))[0]).toBe(130);
  });

  test('create writes files that run, and DATABASE_URL names the database', async () => {
    const home = await mkdtemp(join(tmpdir(), 'dal-migrate-'));
    try {
      const made = await run(['create', 'add', 'users'], {}, home);
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const path = join(home, 'migrations/0001_add_users.sql');
      expect(made.stdout.trim()).toMatch(/migrations\/0001_add_users\.sql$/);
      const text = (await readFile(path, 'utf8')).replace(
        '-- migrate:up\n',
        '-- migrate:up\nCREATE TABLE users (id INT);\n',
      );
      await writeFile(path, text);
      const url = `sqlite:${join(home, 'app.db')}`;
      expect(await run(['up'], { DATABASE_URL: url }, home)).toMatchObject({ code: 0 });
      await using db = await createDatabase(url);
      expect(await db.schema.tableExists('users')).toBe(true);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
