import { ConfigError, type Database, dalErrorOf, isDalError, PoolError } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { dalClient } from '@dal/knex';
import knex, { type Knex } from 'knex';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { overDal, overOwnDriver, QUIET } from './contenders.ts';
import { outside, type Outside, words } from '../../../../tests/setup/outside.ts';
import { type CommitFault, startCommitProxy } from '../../../../tests/transactions/commit-proxy.ts';

const TABLE = 'knex_fire';
const MANY = Array.from({ length: 2_000 }, (_, id) => ({ id, name: 'x' }));

describe.each(inject('engines'))('$name', (engine) => {
  const { name, url } = engine;
  const isServer = name !== 'sqlite';
  let server: Outside;
  let db: Database;
  let ours: Knex;

  beforeAll(async () => {
    server = await outside(engine);
    await server.db.execute(`DROP TABLE IF EXISTS ${TABLE}`);
    await server.db.execute(`CREATE TABLE ${TABLE} (id INTEGER PRIMARY KEY, name VARCHAR(20))`);
    ({ db, ours } = await overDal(engine, { pool: { max: 2, acquireStacks: 'always' } }));
  });
  afterEach(async () => {
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, waiting: 0 });
    await server.db.execute(`DELETE FROM ${TABLE}`);
  });
  afterAll(async () => {
    await ours.destroy();
    await server.db.execute(`DROP TABLE ${TABLE}`);
    await server[Symbol.asyncDispose]();
  });

  const insert = (id: number, on = ours): Promise<unknown> =>
    run(on(TABLE).insert({ id, name: 'x' }));
  const read = (on = ours): Knex.QueryBuilder => on(TABLE).select('id');
  const long = (word: string, on = ours): Knex.Raw => on.raw(words[name].long(word));
  /** Reads for longer than anybody waits. */
  const endless = (on: Knex): Knex.QueryBuilder =>
    on
      .from({ a: TABLE, b: TABLE, c: TABLE, d: TABLE })
      // Else MySQL multiplies what it has counted of each.
      .where('a.id', '<>', on.ref('b.id'))
      .where('b.id', '<>', on.ref('c.id'))
      .where('c.id', '<>', on.ref('d.id'))
      .count();
  /** The session that runs a statement with this word, as soon as there is one. */
  const seen = async (word: string): Promise<unknown> => {
    await expect
      .poll(() => db.pool.holders().some((holder) => holder.running), { timeout: 10_000 })
      .toBe(true);
    return isServer ? running(word) : undefined;
  };
  const running = async (word: string): Promise<unknown> => {
    let found: unknown[] = [];
    const look = async (): Promise<unknown[]> => (found = await server.running(word));
    await expect.poll(look, { timeout: 10_000 }).toHaveLength(1);
    return found[0];
  };
  const gone = async (word: string): Promise<void> => {
    await expect.poll(() => server.running(word), { timeout: 10_000 }).toEqual([]);
  };

  describe.runIf(isServer)('a session is killed', () => {
    test('in the middle of a read: the own driver fails, DAL may run it again', async () => {
      await server.db.bulkInsert(TABLE, MANY);
      const own = overOwnDriver(engine);
      const failed = outcome(endless(own));
      await server.kill(await running(TABLE));
      expect(await failed).toBeInstanceOf(Error);
      await own.destroy();

      const abort = new AbortController();
      const answer = outcome(endless(ours).options({ idempotent: true, signal: abort.signal }));
      const first = await running(TABLE);
      await server.kill(first);
      await expect
        .poll(() => server.running(TABLE), { timeout: 20_000 })
        .toEqual([expect.not.toBeOneOf([first])]);
      abort.abort();
      expect(dalErrorOf(await answer)).toMatchObject({ kind: 'cancelled' });
      await gone(TABLE);
    });

    test('in the middle of what may have side effects: it is not repeated', async () => {
      await server.db.bulkInsert(TABLE, MANY);
      const answer = outcome(endless(ours));
      await server.kill(await running(TABLE));
      expect(dalErrorOf(await answer)).toMatchObject({ kind: 'connection' });
      await gone(TABLE);
    });

    test('while it rests: the next query works', async () => {
      const { lostConnections } = db.pool.stats();
      const id = await ours.select(ours.raw(words[name].id.replace('select ', ''))).first();
      await server.kill(Object.values(id as object)[0]);
      await expect
        .poll(() => db.pool.stats().lostConnections, { timeout: 10_000 })
        .toBeGreaterThan(lostConnections);
      await insert(1);
      expect(await read()).toEqual([{ id: 1 }]);
    });

    test('in the middle of a transaction: it fails, nothing is kept, the pool goes on', async () => {
      const error = await outcome(
        ours.transaction(async (trx) => {
          await insert(1, trx);
          const statement = outcome(long('knex_trx', trx));
          await server.kill(await seen('knex_trx'));
          expect(dalErrorOf(await statement)).toMatchObject({ kind: 'connection' });
          await insert(2, trx);
        }),
      );
      expect(isDalError(error) && error.kind).toBe('connection');
      expect(await read()).toEqual([]);
      await ours.transaction((trx) => insert(3, trx));
      expect(await read()).toEqual([{ id: 3 }]);
    });
  });

  test.each([{ cancel: true }, undefined])(
    '.timeout(300, %o): gone from the server',
    async (how) => {
      const answer = outcome(
        how ? long('knex_slow').timeout(300, how) : long('knex_slow').timeout(300),
      );
      await seen('knex_slow');
      const error = await answer;
      expect(error).toBeInstanceOf(knex.KnexTimeoutError);
      expect(error).toMatchObject({ timeout: 300 });
      await gone('knex_slow');
    },
  );

  test('a statement takes a signal and a time of its own, where Knex has options', async () => {
    const abort = new AbortController();
    const slow = (): Knex.QueryBuilder =>
      ours.select('*').from(ours.raw(`(${words[name].long('knex_options')}) as slow`));
    const answer = outcome(slow().options({ signal: abort.signal }));
    await seen('knex_options');
    abort.abort(new Error('enough'));
    expect(dalErrorOf(await answer)).toMatchObject({ kind: 'cancelled' });
    const late = await outcome(slow().options({ timeoutMs: 200 }));
    expect(dalErrorOf(late)).toMatchObject({ code: 'DAL_STATEMENT_TIMEOUT' });
    await gone('knex_options');
  });

  test("a statement has the database's time", async () => {
    const quick = await createDatabase(url, { statementTimeoutMs: 300 });
    const timed = knex({ ...QUIET, client: dalClient(quick) });
    const error = await outcome(long('knex_timeout', timed));
    expect(dalErrorOf(error)).toMatchObject({ code: 'DAL_STATEMENT_TIMEOUT' });
    await gone('knex_timeout');
    expect(quick.pool.stats()).toMatchObject({ statementTimeouts: 1 });
    await timed.destroy();
  });

  test('a stream that is left gives its connection back', async () => {
    await Promise.all([1, 2, 3].map((id) => insert(id)));
    for await (const row of read().orderBy('id').stream({ batchSize: 1 })) {
      expect(row).toEqual({ id: 1 });
      break;
    }
  });

  test('who holds a connection is known by the line', async () => {
    const trx = await ours.transaction();
    await read(trx);
    const [holder] = db.pool.holders();
    expect(holder).toMatchObject({ lastStatement: expect.stringContaining(TABLE) as string });
    expect(holder?.stack).toContain('under-fire.test.ts');
    await trx.rollback();
  });

  test('a transaction that waits for itself is told so', async () => {
    // Without a process of its own SQLite is open at once, so that the time is that of the wait.
    const place = isServer ? url : { url, runsIn: 'inline' };
    const narrow = await createDatabase(place, { pool: { max: 1, acquireTimeoutMs: 300 } });
    const one = knex({ ...QUIET, client: dalClient(narrow) });
    await read(one);
    const error = await outcome(one.transaction(() => run(read(one))));
    expect(error).toBeInstanceOf(PoolError);
    await one.destroy();
  });

  test('an error of the server has its kind too', async () => {
    await insert(1);
    const error = await outcome(insert(1));
    expect(isDalError(error)).toBe(false);
    expect(dalErrorOf(error)).toMatchObject({ kind: 'unique' });
  });

  test.runIf(name === 'postgres')(
    'the answer to COMMIT is lost: the own driver fails, DAL looks it up',
    async () => {
      await using proxy = await startCommitProxy(Number(new URL(url).port));
      const place = proxy.through(url);
      const own = overOwnDriver({ ...engine, url: place });
      const lossy = await createDatabase({ url: place, tls: 'disable' });
      const through = knex({ ...QUIET, client: dalClient(lossy) });
      const change = (on: Knex, id: number, fault: CommitFault): Promise<unknown> =>
        on.transaction(async (trx) => {
          await insert(id, trx);
          proxy.arm(fault);
        });
      expect(await outcome(change(own, 1, { down: 0 }))).toBeInstanceOf(Error);
      await change(through, 2, { down: 0 });
      // COMMIT itself is lost.
      expect(await outcome(change(through, 3, { up: 0 }))).toMatchObject({
        code: 'DAL_COMMIT_ROLLED_BACK',
      });
      expect(await read()).toEqual([{ id: 1 }, { id: 2 }]);
      await Promise.all([own.destroy(), through.destroy()]);
    },
  );

  test.runIf(name === 'mysql' || name === 'mariadb')(
    'after a deadlock nothing runs outside of the transaction',
    async () => {
      await run(ours(TABLE).insert([1, 2].map((id) => ({ id, name: 'x' }))));
      const lock = (on: Knex, id: number): Promise<unknown> =>
        run(on(TABLE).where({ id }).forUpdate());
      const locked = Promise.withResolvers<void>();
      // It has written more, so that the server ends the other one.
      const other = ours.transaction(async (trx) => {
        for (const id of [3, 4, 5]) await insert(id, trx);
        await lock(trx, 2);
        locked.resolve();
        await seen(TABLE);
        await lock(trx, 1);
      });
      const error = await outcome(
        ours.transaction(async (trx) => {
          await lock(trx, 1);
          await locked.promise;
          expect(await outcome(lock(trx, 2))).toMatchObject({ code: 'ER_LOCK_DEADLOCK' });
          await insert(9, trx);
        }),
      );
      await other;
      expect(error).toMatchObject({ code: 'DAL_TRANSACTION_GONE', kind: 'deadlock' });
      expect(await run(ours(TABLE).pluck('id'))).toEqual([1, 2, 3, 4, 5]);
    },
  );

  test('the numbers of the pool are those of the queries', async () => {
    const { acquired, released } = db.pool.stats();
    await Promise.all([read(), read(), read()].map(run));
    await ours.transaction((trx) => run(read(trx)));
    expect(db.pool.stats()).toMatchObject({ acquired: acquired + 4, released: released + 4 });
  });

  test('destroy() closes the database, unless it is to be kept', async () => {
    const shared = await createDatabase(url);
    const first = knex({ ...QUIET, client: dalClient(shared, { keepOpen: true }) });
    await read(first);
    await first.destroy();
    const second = knex({ ...QUIET, client: dalClient(shared) });
    await read(second);
    const { promise, resolve } = Promise.withResolvers<void>();
    second.destroy(resolve);
    await promise;
    expect(shared.status().state).toBe('closed');
  });
});

/** Runs a builder now, and once. */
function run<T>(builder: PromiseLike<T>): Promise<T> {
  return Promise.resolve(builder);
}

/** The answer, or the error. */
function outcome(work: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(work).catch((error: unknown) => error);
}

test.runIf(inject('engines').some(({ name }) => name === 'mariadb'))(
  'the SQL of another client of Knex: MariaDB with RETURNING',
  async () => {
    const engine = inject('engines').find(({ name }) => name === 'mariadb')!;
    const db = await createDatabase(engine.url);
    const ours = knex({ client: dalClient(db, { client: 'mariadb' }) });
    await ours.schema.dropTableIfExists('knex_returning');
    await ours.schema.createTable('knex_returning', (table) => void table.increments('id'));
    const [row] = await ours('knex_returning').insert({ id: 5 }).returning('id');
    expect(row).toEqual({ id: 5 });
    await ours.schema.dropTable('knex_returning');
    await ours.destroy();
  },
);

test("what is the database's own is not taken from Knex", async () => {
  const db = await createDatabase('sqlite::memory:');
  for (const option of [{ pool: { max: 3 } }, { connection: 'postgres://x' }]) {
    expect(() => knex({ ...QUIET, client: dalClient(db), ...option })).toThrow(ConfigError);
  }
  const duck = { ...db, dialect: { ...db.dialect, name: 'duckdb' } } as Database;
  expect(() => dalClient(duck)).toThrow(/no client for "duckdb"/);
  await db.close();
});
