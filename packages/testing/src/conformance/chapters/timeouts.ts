import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chapter } from '../chapter.ts';
import { elapsed, eventually, refusal, within } from '../expectations.ts';

/** A deadline or an abort ends the statement, on the server too, and hits nobody else. */
export const timeouts: Chapter = {
  name: 'timeouts',
  tests: {
    async 'a stuck statement ends with its deadline'(stage) {
      const text = stage.stuck();
      await stage.db.connect();
      const ms = await elapsed(async () => {
        const error = await refusal(() => stage.db.query(text, [], { timeoutMs: 400 }));
        assert.equal(error.kind, 'statementTimeout', error.message);
      });
      assert.ok(ms > 350 && ms < 1_400, `ended after ${Math.round(ms)} ms`);
    },

    async 'an abort ends a stuck statement'(stage) {
      const text = stage.stuck();
      await stage.db.connect();
      const ms = await elapsed(async () => {
        const signal = AbortSignal.timeout(400);
        const error = await refusal(() => stage.db.query(text, [], { signal }));
        assert.equal(error.kind, 'cancelled', error.message);
      });
      assert.ok(ms > 350 && ms < 1_400, `ended after ${Math.round(ms)} ms`);
    },

    async 'a signal that has fired already lets nothing out'(stage) {
      const table = await stage.numbers(0);
      const error = await refusal(() =>
        stage.db.execute(`INSERT INTO ${table} (id) VALUES (1)`, [], {
          signal: AbortSignal.abort(),
        }),
      );
      assert.equal(error.kind, 'cancelled');
      assert.equal(await stage.count(table), 0);
    },

    async 'the next statement on the pool is not hit'(stage) {
      const text = stage.stuck();
      stage.useDatabase({ max: 1 });
      for (let turn = 0; turn < 5; turn++) {
        await refusal(() => stage.db.query(text, [], { timeoutMs: 30 }));
        await within(3_000, 'the next statement', async () => {
          assert.equal(await stage.db.queryValue('SELECT 7'), 7);
        });
      }
    },

    async 'a deadline that falls in the moment of the answer hits nobody'(stage) {
      await stage.needsDataAfterStop();
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(300);
      const slow = `SELECT COUNT(*) FROM ${table} a, ${table} b`;
      const typicalMs = await elapsed(() => stage.db.queryValue(slow));
      for (let turn = 0; turn < 20; turn++) {
        const timeoutMs = Math.max(1, Math.round(typicalMs * (0.5 + turn / 20)));
        await stage.db.queryValue(slow, [], { timeoutMs }).catch(() => undefined);
        assert.equal(await stage.count(table), 300);
      }
    },

    async 'the server stops working on it'(stage) {
      const { sessions } = stage.options;
      if (!sessions) return stage.skip('no way was given to see sessions');
      const text = stage.stuck();
      const observer = await stage.observer();
      stage.useDatabase({ max: 1 });
      const id = await stage.db.queryValue(sessions.id);
      const stuck = refusal(() => stage.db.query(text, [], { timeoutMs: 1_000 }));
      const isBusy = async (): Promise<boolean> =>
        Number(await observer.queryValue(sessions.busy, [id])) > 0;
      await eventually(900, 'the statement runs', isBusy);
      await stuck;
      await eventually(1_000, 'the statement has stopped', async () => !(await isBusy()));
    },

    async 'cancel stops the running statement'(stage) {
      const text = stage.stuck();
      const session = await stage.session();
      if (!session.cancel) return stage.skip('sessions have no cancel()');
      const stuck = session.query({ text, values: [] }).then(
        () => undefined,
        (error: unknown) => error,
      );
      await sleep(200);
      await within(2_000, 'cancel()', async () => session.cancel?.());
      const error = await within(2_000, 'the cancelled statement', () => stuck);
      // MySQL answers a stopped SLEEP with 1 instead of an error.
      if (error !== undefined) assert.equal(stage.driver.classify(error).kind, 'cancelled');
      await session.query({ text: 'SELECT 1', values: [] });
    },

    async 'a cancel that comes too late hits no later statement'(stage) {
      const session = await stage.session();
      if (!session.cancel) return stage.skip('sessions have no cancel()');
      for (let turn = 0; turn < 25; turn++) {
        const running = session.query({ text: 'SELECT 1', values: [] }).catch(() => undefined);
        if (turn % 2 === 0) await running;
        await session.cancel();
        await running;
        await session.query({ text: 'SELECT 2', values: [] });
        // Long enough for a stray one to arrive.
        if (turn % 8 === 0) await sleep(25);
        await session.query({ text: 'SELECT 3', values: [] });
      }
    },

    async 'a deadline inside a transaction undoes it'(stage) {
      const text = stage.stuck();
      await stage.needsDataAfterStop();
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(0);
      const attempt = stage.db.transaction(async (tx) => {
        await tx.execute(`INSERT INTO ${table} (id) VALUES (1)`);
        await tx.query(text, [], { timeoutMs: 200 });
      });
      const error = await refusal(() => within(3_000, 'the transaction', () => attempt));
      assert.equal(error.kind, 'statementTimeout', error.message);
      assert.equal(await stage.count(table), 0);
    },

    async 'the deadline of a statement covers the wait for a connection'(stage) {
      stage.useDatabase({ max: 1 });
      const connection = await stage.db.acquire();
      const ms = await elapsed(() =>
        refusal(() => stage.db.query('SELECT 1', [], { timeoutMs: 200 })),
      );
      assert.ok(ms < 1_200, `ended after ${Math.round(ms)} ms`);
      await connection.release();
      assert.equal(await stage.db.queryValue('SELECT 1'), 1);
    },

    async 'a statement that is quick enough is left alone'(stage) {
      const signal = AbortSignal.timeout(60_000);
      assert.equal(await stage.db.queryValue('SELECT 1', [], { timeoutMs: 5_000, signal }), 1);
      assert.equal(await stage.db.queryValue('SELECT 1', [], { timeoutMs: '5s' }), 1);
    },
  },
};
