import assert from 'node:assert/strict';
import { AcquireTimeoutError } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { elapsed, refusal, within } from '../expectations.ts';

/** A bound that holds, a queue that is fair, and an answer to "who holds what". */
export const pool: Chapter = {
  name: 'pool',
  tests: {
    async 'a hundred statements share five sessions'(stage) {
      stage.useDatabase({ max: 5 });
      const table = await stage.numbers(100);
      const found = await within(15_000, 'a hundred statements', () =>
        Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            stage.db.queryValue(`SELECT id FROM ${table} WHERE id = ?`, [index + 1]),
          ),
        ),
      );
      assert.deepEqual(
        found,
        Array.from({ length: 100 }, (_, index) => index + 1),
      );
      const { max, size, lent, waiting } = stage.db.pool.stats();
      assert.ok(max <= 5 && size <= max, `${size} sessions of ${max}`);
      assert.ok(stage.watch.most() <= max, `${stage.watch.most()} sessions at one moment`);
      assert.deepEqual({ lent, waiting }, { lent: 0, waiting: 0 });
    },

    async 'who came first is served first'(stage) {
      stage.useDatabase({ max: 1 });
      const holder = await stage.db.acquire();
      const order: number[] = [];
      const waiters = [1, 2, 3, 4, 5].map(async (place) => {
        const connection = await stage.db.acquire();
        order.push(place);
        await connection.release();
      });
      assert.equal(stage.db.pool.stats().waiting, 5);
      await holder.release();
      await within(5_000, 'five waiters', () => Promise.all(waiters));
      assert.deepEqual(order, [1, 2, 3, 4, 5]);
    },

    async 'a wait ends in time, and the error says who holds the connections'(stage) {
      stage.useDatabase({ max: 1 });
      const holder = await stage.db.acquire();
      await holder.queryValue("SELECT 'the holder is me'");
      let error: unknown;
      const ms = await elapsed(async () => {
        error = await refusal(() => stage.db.acquire({ timeoutMs: 200 }));
      });
      assert.ok(error instanceof AcquireTimeoutError);
      assert.ok(ms > 150 && ms < 3_000, `refused after ${Math.round(ms)} ms`);
      assert.match(error.message, /1 of 1|the holder is me/);
      assert.equal(stage.db.pool.stats().waiting, 0);
      assert.equal(stage.db.pool.stats().acquireTimeouts, 1);
      await holder.release();
      assert.equal(await stage.db.queryValue('SELECT 1'), 1);
    },

    async 'a waiter that gives up leaves the queue'(stage) {
      stage.useDatabase({ max: 1 });
      const holder = await stage.db.acquire();
      const aborter = new AbortController();
      const given = refusal(() => stage.db.acquire({ signal: aborter.signal }));
      const patient = stage.db.acquire();
      aborter.abort();
      assert.equal((await given).kind, 'cancelled');
      assert.equal(stage.db.pool.stats().waiting, 1);
      await holder.release();
      const connection = await within(5_000, 'the patient one', () => patient);
      await connection.release();
    },

    async 'close turns the waiting away'(stage) {
      stage.useDatabase({ max: 1 });
      const holder = await stage.db.acquire();
      const waiting = refusal(() => stage.db.acquire());
      const closing = stage.db.close({ timeoutMs: 5_000 });
      await within(1_000, 'the waiting one', () => waiting);
      await holder.release();
      await within(5_000, 'close()', () => closing);
    },

    async 'the numbers add up'(stage) {
      stage.useDatabase({ max: 2 });
      for (let turn = 0; turn < 10; turn++) await stage.db.queryValue('SELECT 1');
      await refusal(() => stage.db.query('SELEKT'));
      const connection = await stage.db.acquire();
      const lent = stage.db.pool.stats();
      assert.equal(lent.size, lent.idle + lent.lent);
      await connection.release();
      const { acquired, released, created, destroyed, size } = stage.db.pool.stats();
      assert.equal(acquired, released);
      assert.ok(acquired >= 12, `${acquired} acquired`);
      assert.equal(created - destroyed, size);
    },

    async 'sessions are used again'(stage) {
      stage.useDatabase({ max: 3 });
      for (let turn = 0; turn < 20; turn++) await stage.db.queryValue('SELECT 1');
      assert.equal(stage.db.pool.stats().created, 1);
    },
  },
};
