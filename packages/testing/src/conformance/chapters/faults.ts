import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDalError, type Database } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import type { SessionStatements } from '../conformance-options.ts';
import { eventually, refusal, within } from '../expectations.ts';
import type { Stage } from '../stage.ts';

/** Sessions die; the process and the pool do not. */
export const faults: Chapter = {
  name: 'faults',
  tests: {
    async 'a session that ended behind the back of the pool is replaced'(stage) {
      stage.useDatabase({ max: 1 });
      await stage.db.connect();
      if (stage.watch.isPrivate()) return stage.skip('the data lives in one session');
      const [session] = stage.watch.open;
      if (!session?.destroy) return stage.skip('sessions have no destroy()');
      await quietly(async () => {
        session.destroy?.();
        // One error is fair, since the statement may have been sent; a second one is not.
        await stage.db.query('SELECT 1').catch((error: unknown) => assert.ok(isDalError(error)));
        assert.equal(await stage.db.queryValue('SELECT 1'), 1);
      });
    },

    async 'a session killed while idle costs nobody a statement'(stage) {
      const { sessions, killer } = withKiller(stage);
      stage.useDatabase({ max: 1 });
      await quietly(async () => {
        for (let turn = 0; turn < 3; turn++) {
          const id = await stage.db.queryValue<number>(sessions.id);
          await kill(await killer, sessions, id);
          assert.equal(await within(5_000, 'a query', () => stage.db.queryValue('SELECT 1')), 1);
        }
      });
      assert.ok(stage.db.pool.stats().lostConnections >= 1);
    },

    async 'a session killed while busy ends its statement only'(stage) {
      const { sessions, killer } = withKiller(stage);
      const text = stage.stuck();
      stage.useDatabase({ max: 1 });
      await quietly(async () => {
        const observer = await killer;
        const id = await stage.db.queryValue<number>(sessions.id);
        const stuck = refusal(() => stage.db.query(text, [], { timeoutMs: 20_000 }));
        await eventually(
          2_000,
          'the statement runs',
          async () => Number(await observer.queryValue(sessions.busy, [id])) > 0,
        );
        await kill(observer, sessions, id);
        const error = await within(5_000, 'the statement', () => stuck);
        assert.equal(error.fault?.connectionLost, true, `${error.kind}: ${error.message}`);
        assert.equal(await within(5_000, 'a query', () => stage.db.queryValue('SELECT 1')), 1);
      });
    },

    async 'a session killed inside a transaction undoes it'(stage) {
      const { sessions, killer } = withKiller(stage);
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(0);
      await quietly(async () => {
        const attempt = stage.db.transaction(async (tx) => {
          await tx.execute(`INSERT INTO ${table} (id) VALUES (1)`);
          const id = await tx.queryValue<number>(sessions.id);
          await kill(await killer, sessions, id);
          await tx.execute(`INSERT INTO ${table} (id) VALUES (2)`);
        });
        const error = await refusal(() => within(5_000, 'the transaction', () => attempt));
        assert.equal(error.fault?.connectionLost ?? error.kind === 'connection', true);
        assert.equal(await within(5_000, 'a count', () => stage.count(table)), 0);
        await stage.db.transaction((tx) => tx.execute(`INSERT INTO ${table} (id) VALUES (3)`));
        assert.equal(await stage.count(table), 1);
      });
    },

    async 'a session killed while its stream is read ends the loop with an error'(stage) {
      const { sessions, killer } = withKiller(stage);
      const table = await stage.numbers(1_000, 'x'.repeat(200));
      await quietly(async () => {
        const observer = await killer;
        await stage.db.connection(async (connection) => {
          const id = await connection.queryValue<number>(sessions.id);
          const text = `SELECT a.id, b.v FROM ${table} a, ${table} b`;
          let rowCount = 0;
          await refusal(() =>
            within(15_000, 'the stream', async () => {
              for await (const batch of connection.stream(text, [], { batchSize: 100 })) {
                if (rowCount === 0) await kill(observer, sessions, id);
                rowCount += batch.length;
              }
            }),
          );
          assert.ok(rowCount > 0 && rowCount < 1_000_000, `${rowCount} rows`);
        });
        assert.equal(await stage.count(table), 1_000);
      });
    },

    async 'every idle session killed at once is no outage'(stage) {
      const { sessions, killer } = withKiller(stage);
      await quietly(async () => {
        const observer = await killer;
        const lent = await Promise.all(Array.from({ length: 4 }, () => stage.db.acquire()));
        const ids = await Promise.all(lent.map((c) => c.queryValue<number>(sessions.id)));
        await Promise.all(lent.map((connection) => connection.release()));
        for (const id of ids) await kill(observer, sessions, id);
        const answers = await within(10_000, 'eight queries', () =>
          Promise.all(Array.from({ length: 8 }, () => stage.db.queryValue('SELECT 1'))),
        );
        assert.deepEqual(
          answers,
          Array.from({ length: 8 }, () => 1),
        );
      });
    },

    async 'close ends in time with killed sessions lent and idle'(stage) {
      const { sessions, killer } = withKiller(stage);
      await quietly(async () => {
        const observer = await killer;
        const [lent, idle] = await Promise.all([stage.db.acquire(), stage.db.acquire()]);
        const ids = [await lent.queryValue<number>(sessions.id)];
        ids.push(await idle.queryValue<number>(sessions.id));
        await idle.release();
        for (const id of ids) await kill(observer, sessions, id);
        await within(5_000, 'close()', () => stage.db.close({ timeoutMs: 500 }));
        assert.equal(stage.watch.open.size, 0);
      });
    },
  },
};

function withKiller(stage: Stage): { sessions: SessionStatements; killer: Promise<Database> } {
  const { sessions } = stage.options;
  if (!sessions) return stage.skip('no way was given to kill a session');
  return { sessions, killer: stage.observer() };
}

/** Kills the session and waits until the server has ended it. */
async function kill(
  observer: Database,
  sessions: SessionStatements,
  id: number | bigint | string | undefined,
): Promise<void> {
  assert.ok(id !== undefined);
  await observer.execute(sessions.kill(id));
  await eventually(
    5_000,
    'the session is gone',
    async () => Number(await observer.queryValue(sessions.alive, [id])) === 0,
  );
  // The news needs a moment to cross the line.
  await sleep(20);
}

/** Fails when an error escapes to the process, where it would have ended it. */
async function quietly(run: () => Promise<void>): Promise<void> {
  const escaped: unknown[] = [];
  const listener = (error: unknown): void => void escaped.push(error);
  process.on('uncaughtException', listener).on('unhandledRejection', listener);
  try {
    await run();
    await sleep(50);
  } finally {
    process.off('uncaughtException', listener).off('unhandledRejection', listener);
  }
  assert.deepEqual(escaped.map(String), [], 'an error reached the process');
}
