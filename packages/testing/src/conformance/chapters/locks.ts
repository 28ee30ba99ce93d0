import assert from 'node:assert/strict';
import { isDalError } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { elapsed, eventually } from '../expectations.ts';

/** A lock of a session is one session's, and is gone with it. */
export const locks: Chapter = {
  name: 'locks',
  tests: {
    async 'a session lock is had by one, and free when it is given back'(stage) {
      const { sessionLock } = stage.dialect;
      if (!sessionLock) return stage.skip('dialect.sessionLock is not set');
      const other = await stage.second();
      await using one = await stage.db.acquire();
      await using two = await other.acquire();
      const held = await sessionLock.take(one, 'dal_kit');
      assert.ok(held, 'the first one gets it');
      assert.equal(await sessionLock.take(two, 'dal_kit'), undefined, 'the second one does not');
      await one.transaction(async (tx) => {
        assert.equal(await held.isHeld(tx), true, 'it is held inside a transaction');
      });
      assert.equal(await held.isHeld(one), true, 'and behind it');
      await held.release(one);
      const next = await sessionLock.take(two, 'dal_kit');
      assert.ok(next, 'then the second one gets it');
      await next.release(two);
    },

    async 'a session lock ends with its session'(stage) {
      const { sessionLock } = stage.dialect;
      if (!sessionLock) return stage.skip('dialect.sessionLock is not set');
      const other = await stage.second();
      const one = await stage.db.acquire();
      await using two = await other.acquire();
      assert.ok(await sessionLock.take(one, 'dal_kit'), 'the first one gets it');
      await one.destroy();
      await eventually(5_000, 'the lock is free', async () => {
        const held = await sessionLock.take(two, 'dal_kit');
        await held?.release(two);
        return held !== undefined;
      });
    },

    async 'a lock timeout ends the wait for a table'(stage) {
      const words = stage.dialect.lockTimeout?.(1_000);
      if (!words) return stage.skip('dialect.lockTimeout is not set');
      const other = await stage.second();
      const table = await stage.numbers(1);
      await using one = await stage.db.acquire();
      await using two = await other.acquire();
      await one.begin();
      await one.execute(`INSERT INTO ${table} (id) VALUES (100)`);
      for (const text of words) await two.execute(text);
      const ms = await elapsed(async () => {
        const error: unknown = await two.execute(`DROP TABLE ${table}`).catch((thrown) => thrown);
        assert.ok(isDalError(error) && error.kind === 'lockTimeout', String(error));
      });
      assert.ok(ms < 10_000, `it took ${ms} ms`);
      await one.rollback();
    },
  },
};
