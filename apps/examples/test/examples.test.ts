// Each example runs as its users run it, on the engines on which it has something to tell, and is looked
// at from outside: its lines, its end, and the database from a session of the test's own.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type OwnDatabase, ownDatabase } from './own-database.ts';
import { run } from './program.ts';

type Name = 'postgres' | 'mysql' | 'mariadb' | 'sqlite';

const databases = new Map<Name, OwnDatabase>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dal-examples-'));
  for (const engine of inject('engines')) {
    // Those on SQLite run at the same time, and have a file each.
    if (engine.name !== 'sqlite') {
      databases.set(engine.name, await ownDatabase(engine, 'examples'));
    }
  }
});
afterAll(async () => {
  for (const database of databases.values()) await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Those of the engines that this run has. */
const on = (...names: readonly Name[]): Name[] =>
  names.filter((name) => inject('engines').some((engine) => engine.name === name));

function envFor(name: Name, example: string): { DATABASE_URL: string } {
  const url = databases.get(name)?.url;
  return { DATABASE_URL: url ?? `sqlite:${join(folder, `${example}.db`)}` };
}

const text = (lines: readonly string[]): string => lines.join('\n');

// They wait more than they work.
describe.concurrent('examples', { timeout: 60_000 }, () => {
  test.for(on('postgres', 'mysql', 'sqlite'))('timeouts on %s', async (name) => {
    // Neither statement would end within this test.
    const lines = await run('timeouts', envFor(name, 'timeouts'));
    expect(lines.map((line) => line.replaceAll(/\d+ ms/g, 'n ms'))).toEqual([
      'timeoutMs: 1500: does the server work on it? yes',
      '  statementTimeout (DAL_STATEMENT_TIMEOUT) after n ms',
      '  does the server still work on it? no',
      '  the next statement is served: 0 rows',
      'an AbortSignal: does the server work on it? yes',
      '  cancelled (DAL_ABORTED) after n ms',
      '  does the server still work on it? no',
      '  the next statement is served: 0 rows',
      'the pool: 1 open, 0 lent',
    ]);
  });

  test.for(on('postgres', 'mariadb', 'sqlite'))('retries on %s', async (name) => {
    const lines = await run('retries', envFor(name, 'retries'));
    const queues = name === 'sqlite';
    const kind = name === 'postgres' ? 'serialization' : 'deadlock';
    expect(lines).toEqual([
      'two transactions take one of 10 each',
      ...(queues ? [] : [`  attempt 1 failed: ${kind}; it runs again`]),
      `  both are committed after ${queues ? 2 : 3} runs; 8 are left`,
      ...(queues
        ? []
        : [
            'the line drops in front of the answer to a read',
            '  attempt 1 failed: connection; it runs again',
            '  the caller has its answer: 8',
            'the line drops in front of the answer to a write',
            '  connection, applied: unknown; it does not run again',
            // Once, although its outcome was unknown: had it run again, 6 would be left.
            '  one look tells: 7 are left',
          ]),
    ]);
  });

  test.for(on('mysql', 'sqlite'))('leaks on %s', async (name) => {
    const lines = await run('leaks', envFor(name, 'leaks'));
    const source = readFileSync(join(import.meta.dirname, '../src/leaks/main.ts'), 'utf8');
    const place = source.split('\n').findIndex((line) => line.includes('shop.acquire()')) + 1;
    const culprit = new RegExp(String.raw`readBasket \(file:.*leaks/main\.ts:${place}:`);
    expect(lines[0]).toMatch(/^leak: held for \d+ ms, last statement "SELECT 1 AS basket"$/);
    expect(lines[1]).toBe('  tags: {"route":"basket"}');
    expect(lines[2]).toMatch(culprit);
    expect(lines[3]).toBe('db.pool.leaks() has 1');
    expect(lines[4]).toMatch(/^AcquireTimeoutError: No connection within 1000 ms on "shop"/);
    expect(lines[5]).toMatch(culprit);
    expect(lines.at(-3)).toMatch(culprit);
    expect(lines.at(-2)).toMatch(/^it is back after \d+ ms$/);
    expect(lines.at(-1)).toBe('the next statement is served: 7');
  });

  test.for(on('postgres', 'sqlite'))('streaming on %s', async (name) => {
    const FILE = join(folder, `${name}.csv.gz`);
    const ROWS = 200_000;
    // All rows at once don't fit into this heap.
    const env = { ...envFor(name, 'streaming'), FILE, ROWS: String(ROWS) };
    const lines = await run('streaming', env, ['--max-old-space-size=32']);
    expect(lines[0]).toMatch(new RegExp(`^${ROWS} rows are in `));
    expect(lines[1]).toMatch(/^found sensor \d+ in hall .* and look no further$/);
    expect(lines[2]).toBe('the pool has 1 connection, 0 are lent');
    const written = gunzipSync(readFileSync(FILE)).toString().trimEnd().split('\n');
    expect(written[0]).toBe('sensor,hour');
    expect(new Set(written).size).toBe(ROWS + 1);
  });

  test.for(on('postgres', 'mariadb', 'sqlite'))('bulk on %s', async (name) => {
    const lines = await run('bulk', { ...envFor(name, 'bulk'), ROWS: '20000' });
    expect(lines[0]).toBe('stock.csv: 3 rows');
    // Where the engine tells the row, it is named.
    const row = name === 'postgres' ? 'In row 5: ' : '';
    expect(lines[2]).toContain(
      `stock-with-a-mistake.csv: unique: ${row}A row with the same key exists already`,
    );
    expect([lines[1], lines[3], lines.at(-1)]).toEqual([
      '  the table has 3',
      '  the table has 3',
      '  the table has 20003',
    ]);
    expect(lines[4]).toBe('a generator: 20000 rows');
    expect(lines[5]).toBe(
      'executeMany changed 3: [{"name":"hat","amount":8},{"name":"scarf","amount":19},{"name":"gloves, woollen","amount":25}]',
    );
  });

  test.for(on('postgres', 'sqlite'))('tracing on %s', async (name) => {
    const lines = await run('tracing', envFor(name, 'tracing'));
    const requests = text(lines).split(/\n(?=\S)/);
    const traces = requests.map((request) => /\[trace (\w{32})\]/.exec(request)?.[1]);
    expect(new Set(traces).size).toBe(2);
    expect(requests.map((request) => request.replace(/ \[trace \w+\]/, '')).toSorted()).toEqual([
      'GET /orders/1\n  SELECT tracing_orders\n  SELECT tracing_orders, failed: schema',
      'POST /orders/2\n  TRANSACTION\n    SELECT tracing_orders\n    UPDATE tracing_orders',
    ]);
  });

  test.for(on('postgres', 'mysql', 'sqlite'))('kysely on %s', async (name) => {
    const lines = await run('kysely', envFor(name, 'kysely'));
    expect(lines).toEqual([
      'orders: [{"id":1,"item":"hat","paid":0},{"id":2,"item":"scarf","paid":1}]',
      'the stream is left after hat; its connection, the only one, serves the next query',
      ...(name === 'sqlite'
        ? []
        : ['the line drops in front of the answer', '  connection; it runs again']),
      'rows: 2',
      'what would take days: statementTimeout (DAL_STATEMENT_TIMEOUT)',
    ]);
  });
});
