import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, type Database } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const servers = inject('engines').filter(({ name }) => name !== 'sqlite');

describe.each(servers)('$name', ({ name, url }) => {
  const sleepFor = (seconds: number): string =>
    name === 'postgres' ? `SELECT pg_sleep(${seconds})` : `SELECT SLEEP(${seconds})`;
  const table = `shutdown_${name}_${process.pid}`;
  let admin: Database;

  beforeAll(async () => {
    admin = await createDatabase(url);
    await admin.execute(`DROP TABLE IF EXISTS ${table}`);
    await admin.execute(`CREATE TABLE ${table} (id VARCHAR(40), part INT)`);
  });
  afterAll(async () => {
    await admin.execute(`DROP TABLE ${table}`);
    await admin.close();
  });

  test('a signal under load: what is under way is done, nothing is done by half, and it exits with 0', async () => {
    await admin.execute(`DELETE FROM ${table}`);
    const program = start(url, table);
    await program.ready;
    await sleep(150);
    program.child.kill('SIGTERM');
    const { code, took, committed, errors } = await program.ended;
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(took).toBeLessThan(4_000);
    expect(committed).toBeGreaterThan(0);
    expect(await counts()).toEqual([committed, committed]);
  });

  test('who holds on is named and rolled back in time, a waiting COMMIT included', async () => {
    await admin.execute(`DELETE FROM ${table}`);
    const program = start(url, table, sleepFor(60));
    await program.ready;
    await sleep(100);
    program.child.kill('SIGTERM');
    const { code, took, committed, errors } = await program.ended;
    expect(code).toBe(0);
    // The waiting phase was used, and the whole of its time was not passed.
    expect(took).toBeGreaterThan(1_000);
    expect(took).toBeLessThan(4_000);
    expect(errors).toMatch(
      /"shop" was still lent after \d+ ms, acquired at .*busy-program\.ts:\d+/,
    );
    expect(await counts()).toEqual([committed, committed]);
    expect(await admin.queryValue(`SELECT COUNT(*) FROM ${table} WHERE id = 'stuck'`)).toBe(0);
    // The statement does not go on without its program.
    const running =
      name === 'postgres'
        ? "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'"
        : "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(60)%'";
    expect(await admin.queryValue(running)).toBe(0);
  });

  test('a second signal ends it at once', async () => {
    const program = start(url, table, sleepFor(2));
    await program.ready;
    program.child.kill('SIGTERM');
    await sleep(200);
    program.child.kill('SIGINT');
    const { code, took } = await program.ended;
    expect(code).toBe(130);
    expect(took).toBeLessThan(1_500);
  });

  async function counts(): Promise<number[]> {
    const rows = await admin.query<{ part: number; n: unknown }>(
      `SELECT part, COUNT(*) AS n FROM ${table} GROUP BY part ORDER BY part`,
    );
    return rows.map(({ n }) => Number(n));
  }
});

function start(url: string, table: string, stuck = '') {
  const child = fork(join(import.meta.dirname, 'busy-program.ts'), [url, table, stuck], {
    execArgv: ['--conditions=@dal/source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  let asked = 0;
  const kill = child.kill.bind(child);
  child.kill = (signal) => {
    asked ||= performance.now();
    return kill(signal);
  };
  const ended = once(child, 'close').then(([code]) => {
    const last = output.trim().split('\n').at(-1) || '{}';
    const { committed } = JSON.parse(last) as { committed?: number };
    return {
      code: code as number,
      took: performance.now() - asked,
      committed: committed ?? 0,
      errors,
    };
  });
  return { child, ready: once(child, 'message'), ended };
}
