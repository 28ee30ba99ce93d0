import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { expect, inject, test } from 'vitest';

const TIMEOUT_MS = 300;
/** A cancel that can't get through, and what a loaded machine adds. */
const SLACK_MS = 500;
const late = { timeoutMs: TIMEOUT_MS };

/** Everything that a caller may be waiting for when the packets begin to vanish. */
const waits: Record<string, (db: Database) => Promise<unknown>> = {
  statement: (db) => db.query('SELECT 1', [], late),
  'statement of a transaction': (db) => db.transaction((tx) => tx.query('SELECT 1'), late),
  transaction: (db) => db.transaction(() => new Promise(() => undefined), late),
  executeMany: (db) => db.executeMany('INSERT INTO half_open VALUES (?)', [[1], [2]], late),
  async stream(db) {
    for await (const _ of db.stream('SELECT id FROM half_open', [], late));
  },
  bulkInsert: (db) => db.bulkInsert('half_open', [{ id: 1 }], late),
  ping: (db) => db.ping(late),
  acquire: (db) => db.acquire(late),
};

const servers = inject('engines').filter(({ name }) => name !== 'sqlite');

test.concurrent.each(servers)(
  '$name: packets that vanish hold nobody past the deadline',
  async ({ url }) => {
    await using direct = await createDatabase(url);
    await direct.execute('DROP TABLE IF EXISTS half_open');
    await direct.execute(`CREATE TABLE half_open (id ${direct.dialect.types.integer})`);
    for (const mode of ['stall', 'drop-up', 'drop-down'] as const) {
      for (const [what, wait] of Object.entries(waits)) {
        await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
        const options = { pool: { max: 1, validate: 'always' as const }, retry: { maxRetries: 0 } };
        const db = await createDatabase(proxy.through(url), options);
        await db.query('SELECT 1');
        proxy.set(mode);
        const started = performance.now();
        // Only `acquire` may succeed: it can hand out a connection that was used a moment ago.
        const outcome = await wait(db).then(
          () => 'an answer',
          (error: { code: string }) => error.code,
        );
        const took = performance.now() - started;
        const where = `${what}, ${mode}: ${outcome} after ${Math.round(took)} ms`;
        expect(took, where).toBeLessThan(TIMEOUT_MS + SLACK_MS);
        expect(outcome, where).toMatch(/TIMEOUT|OUTCOME_UNKNOWN/);
        proxy.set('pass');
        proxy.resetAll();
        await db.close({ timeoutMs: 100 });
      }
    }
    await direct.execute('DROP TABLE half_open');
  },
);
