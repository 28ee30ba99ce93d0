import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, PoolError, type Connection } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { elapsed, eventually, refusal, within } from '../expectations.ts';

/** Sessions are lent clean, given back once, and gone when they are closed. */
export const connections: Chapter = {
  name: 'connections',
  tests: {
    async 'connect opens a session now'(stage) {
      await stage.db.connect();
      assert.equal(stage.watch.open.size, 1);
      assert.equal(stage.db.pool.stats().size, 1);
    },

    async 'a lent connection is counted, and comes back with await using'(stage) {
      {
        await using connection = await stage.db.acquire();
        assert.equal(stage.db.pool.stats().lent, 1);
        assert.equal(await connection.queryValue('SELECT 1'), 1);
      }
      assert.equal(stage.db.pool.stats().lent, 0);
      assert.equal(stage.db.pool.stats().idle, 1);
    },

    async 'a callback that throws gives its connection back'(stage) {
      const attempt = stage.db.connection(async () => {
        throw new Error('mine');
      });
      await assert.rejects(attempt, /mine/);
      assert.equal(stage.db.pool.stats().lent, 0);
    },

    async 'a second release is refused, and disturbs nobody'(stage) {
      stage.useDatabase({ max: 1 });
      const first = await stage.db.acquire();
      await first.release();
      const second = await stage.db.acquire();
      assert.ok((await refusal(() => first.release())) instanceof PoolError);
      assert.equal(await second.queryValue('SELECT 1'), 1);
      assert.equal(stage.db.pool.stats().lent, 1);
      await second.release();
    },

    async 'a released connection runs nothing any more'(stage) {
      const table = await stage.numbers(0);
      const connection = await stage.db.acquire();
      await connection.release();
      await refusal(() => connection.execute(`INSERT INTO ${table} (id) VALUES (1)`));
      await refusal(() => connection.begin());
      assert.equal(await stage.count(table), 0);
    },

    async 'destroy ends the session instead of giving it back'(stage) {
      const connection = await stage.db.acquire();
      await connection.destroy();
      await refusal(() => connection.query('SELECT 1'));
      assert.equal(stage.db.pool.stats().lent, 0);
      await eventually(2_000, 'the session is gone', () => stage.watch.open.size === 0);
      assert.equal(await stage.db.queryValue('SELECT 1'), 1);
    },

    async 'raw is the object of the library, the same for one loan'(stage) {
      await using connection = await stage.db.acquire();
      const { raw } = connection;
      assert.ok(raw !== undefined && raw !== null);
      assert.equal(connection.raw, raw);
    },

    async 'what a borrower of raw left in the session is gone for the next one'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(1);
      const temporary = `${table}_temporary`;
      const select = `SELECT COUNT(*) FROM ${temporary}`;
      {
        await using connection = await stage.db.acquire();
        void connection.raw;
        await connection.execute(`CREATE TEMPORARY TABLE ${temporary} (id ${stage.types.integer})`);
        assert.equal(await connection.queryValue(select), 0);
      }
      const error = await refusal(() => stage.db.query(select));
      assert.equal(error.kind, 'schema');
      assert.equal(await stage.count(table), 1);
    },

    async 'a reset session forgets its temporary tables and keeps its settings'(stage) {
      const session = await stage.session();
      if (!session.reset) return stage.skip('sessions have no reset()');
      const run = (text: string): Promise<unknown> => session.query({ text, values: [] });
      await run(`CREATE TEMPORARY TABLE dal_left_behind (t ${stage.types.timestamp})`);
      await session.reset();
      await assert.rejects(run('SELECT * FROM dal_left_behind'));
      await run('SELECT 1');
      // What `connect` set up (UTC, strictness) must hold after a reset too.
      await run(`CREATE TEMPORARY TABLE dal_after_reset (t ${stage.types.timestamp})`);
      const moment = new Date('2024-07-01T12:00:00.000Z');
      await session.query({
        text: `INSERT INTO dal_after_reset (t) VALUES (${stage.dialect.placeholder(1)})`,
        values: [moment],
      });
      const { rows } = await session.query({ text: 'SELECT t FROM dal_after_reset', values: [] });
      assert.deepEqual((rows[0] as Record<string, unknown>)['t'], moment);
    },

    async 'version names server, flavour and library'(stage) {
      const version = await stage.db.version();
      for (const part of ['serverVersion', 'flavor', 'driver', 'driverVersion'] as const) {
        assert.equal(typeof version[part], 'string', part);
        assert.notEqual(version[part], '', part);
      }
      await using connection = await stage.db.acquire();
      assert.deepEqual(await connection.version(), version);
    },

    async 'ping and isHealthy say that the server is there'(stage) {
      await stage.db.ping({ timeoutMs: 5_000 });
      assert.equal(await stage.db.isHealthy({ timeoutMs: 5_000 }), true);
      const session = await stage.session();
      await session.ping?.();
      await session.query({ text: stage.dialect.ping, values: [] });
    },

    async 'an unknown option is refused by its name'(stage) {
      const { driver, options } = stage;
      if (!driver.configure) return stage.skip('the driver has no configure()');
      const input = typeof options.config === 'string' ? { url: options.config } : options.config;
      const { pool: _, name: __, ...own } = input as Record<string, unknown>;
      driver.configure(own);
      assert.throws(
        () => driver.configure?.({ ...own, noSuchOption: 1 }),
        (error) => error instanceof ConfigError && error.message.includes('noSuchOption'),
      );
    },

    async 'a statement on a session that was closed or destroyed is refused as lost'(stage) {
      for (const end of ['close', 'destroy'] as const) {
        const session = await stage.session();
        await session.query({ text: 'SELECT 1', values: [] });
        if (end === 'close') await within(5_000, 'close()', () => session.close());
        else if (session.destroy) session.destroy();
        else continue;
        const late = within(5_000, `a statement after ${end}()`, async () =>
          session.query({ text: 'SELECT 1', values: [] }),
        );
        const error = await late.then(
          () => assert.fail(`a statement ran after ${end}()`),
          (reason: unknown) => reason,
        );
        if (error instanceof assert.AssertionError) throw error;
        const fault = stage.driver.classify(error);
        assert.equal(fault.connectionLost, true, `after ${end}(): ${String(error)}`);
        assert.equal(fault.applied, 'no', `after ${end}(): nothing was sent`);
      }
    },

    async 'a session that was told to end does not report itself lost'(stage) {
      let lostCount = 0;
      const lost = (): void => void lostCount++;
      const closed = await stage.session(lost);
      await closed.close();
      const destroyed = await stage.session(lost);
      if (destroyed.destroy) destroyed.destroy();
      await sleep(100);
      assert.equal(lostCount, 0);
    },

    async 'close ends every session, twice is fine, and nothing is lent any more'(stage) {
      const { db } = stage;
      const lent = await Promise.all(
        Array.from({ length: db.pool.stats().max }, () => db.acquire()),
      );
      await Promise.all(lent.map((connection) => connection.release()));
      assert.ok(stage.watch.open.size > 0);
      await within(5_000, 'close()', () => db.close());
      assert.equal(stage.watch.open.size, 0);
      await db.close();
      for (const call of [
        () => db.query('SELECT 1'),
        () => db.acquire(),
        () => db.ping(),
        () => db.transaction(async () => undefined),
      ]) {
        const ms = await elapsed(() => refusal(call));
        assert.ok(ms < 500, `refused after ${ms} ms`);
      }
      assert.equal(await db.isHealthy(), false);
    },

    async 'close waits for what is lent'(stage) {
      const { db } = stage;
      const connection = await db.acquire();
      let closed = false;
      const closing = db.close({ timeoutMs: 10_000 }).then(() => {
        closed = true;
      });
      await sleep(100);
      assert.equal(await connection.queryValue('SELECT 1'), 1);
      assert.equal(closed, false);
      await connection.release();
      await within(5_000, 'close()', () => closing);
    },

    async 'close ends in time when nothing comes back'(stage) {
      const { db } = stage;
      const connection = await db.acquire();
      await within(2_300, 'close({ timeoutMs: 300 })', () => db.close({ timeoutMs: 300 }));
      await refusal(() => connection.query('SELECT 1'));
      await eventually(1_000, 'the session is gone', () => stage.watch.open.size === 0);
    },

    async 'close with force does not wait'(stage) {
      const { db } = stage;
      await db.acquire();
      await within(2_000, 'close({ force: true })', () => db.close({ force: true }));
      await eventually(1_000, 'the session is gone', () => stage.watch.open.size === 0);
    },

    async 'a connect that is given up ends at once and leaves nothing behind'(stage) {
      await stage.attempt(new AbortController().signal).then((session) => session.close());
      const before = handles();
      const reason = new Error('given up');
      for (const afterMs of [undefined, 0, 1, 3, 10, 30]) {
        const control = new AbortController();
        if (afterMs === undefined) control.abort(reason);
        const attempt = stage.attempt(control.signal).then(
          // It may have been ready before: then it is a session like any other.
          (session) => session.query({ text: 'SELECT 1', values: [] }).then(() => session.close()),
          (error: unknown) => error,
        );
        if (afterMs !== undefined) await sleep(afterMs);
        control.abort(reason);
        const ended = await within(1_000, `a connect, given up after ${afterMs} ms`, () => attempt);
        if (afterMs === undefined) assert.ok(ended, 'it was given up before it began');
      }
      await eventually(2_000, 'what the attempts used is gone', () => handles() <= before);
    },

    async 'a signal that is aborted later does not end the session'(stage) {
      const control = new AbortController();
      const session = await stage.attempt(control.signal);
      control.abort();
      await session.query({ text: 'SELECT 1', values: [] });
    },

    async 'close gives up a connect that nobody answers'(stage) {
      const { db, server } = await stage.unanswered();
      const asked = refusal(() => db.query('SELECT 1'));
      await eventually(2_000, 'a line is open', () => server.open.size > 0);
      const ms = await elapsed(() => within(5_000, 'close()', () => db.close()));
      assert.ok(ms < 500, `closed after ${Math.round(ms)} ms`);
      assert.equal((await asked).code, 'DAL_CLOSED');
      await eventually(500, 'the line is gone', () => server.open.size === 0);
      const { connecting, connectErrors } = db.pool.stats();
      assert.deepEqual({ connecting, connectErrors }, { connecting: 0, connectErrors: 0 });
      const knocks = server.accepted();
      await sleep(300);
      assert.equal(server.accepted(), knocks, 'nobody knocks any more');
    },

    async 'close leaves no session on the server'(stage) {
      const { sessions } = stage.options;
      if (!sessions) return stage.skip('no way was given to see sessions');
      const observer = await stage.observer();
      const { db } = stage;
      const lent = await Promise.all([db.acquire(), db.acquire()]);
      const ids = await Promise.all(lent.map((connection) => nameOf(connection, sessions.id)));
      await lent[0].destroy();
      await lent[1].release();
      await db.close();
      for (const id of ids) {
        await eventually(
          2_000,
          'the server has ended the session',
          async () => Number(await observer.queryValue(sessions.alive, [id])) === 0,
        );
      }
    },
  },
};

async function nameOf(connection: Connection, text: string): Promise<unknown> {
  return connection.queryValue(text);
}

/** Sockets, pipes and processes of this process. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Pipe|Process/.test(name))
    .length;
}
