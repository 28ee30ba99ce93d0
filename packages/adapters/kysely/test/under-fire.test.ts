import {
  ConfigError,
  type Database,
  dalErrorOf,
  isDalError,
  PoolError,
  TransactionError,
} from '@dal/core';
import { createDatabase } from '@dal/factory';
import { dalDialect } from '@dal/kysely';
import { Kysely, PostgresDialect, type SelectQueryBuilder, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { type AnyTables, overDal, overOwnDriver } from './contenders.ts';
import { outside, type Outside, words } from '../../../../tests/setup/outside.ts';
import { type CommitFault, startCommitProxy } from '../../../../tests/transactions/commit-proxy.ts';

const TABLE = 'kysely_fire';
const MANY = Array.from({ length: 2_000 }, (_, id) => ({ id, name: 'x' }));

describe.each(inject('engines'))('$name', (engine) => {
  const { name, url } = engine;
  const isServer = name !== 'sqlite';
  let server: Outside;
  let db: Database;
  let kysely: Kysely<AnyTables>;

  beforeAll(async () => {
    server = await outside(engine);
    await server.db.execute(`DROP TABLE IF EXISTS ${TABLE}`);
    await server.db.execute(`CREATE TABLE ${TABLE} (id INTEGER PRIMARY KEY, name VARCHAR(20))`);
    ({ db, kysely } = await overDal(engine, { pool: { max: 2, acquireStacks: 'always' } }));
  });
  afterEach(async () => {
    await expect
      .poll(() => db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, waiting: 0 });
    await server.db.execute(`DELETE FROM ${TABLE}`);
  });
  afterAll(async () => {
    await kysely.destroy();
    await server.db.execute(`DROP TABLE ${TABLE}`);
    await server[Symbol.asyncDispose]();
  });

  const insert = (id: number, on = kysely): Promise<unknown> =>
    on.insertInto(TABLE).values({ id, name: 'x' }).execute();
  const read = (on = kysely): Promise<unknown[]> => on.selectFrom(TABLE).select('id').execute();
  const long = (word: string): ReturnType<typeof sql> => sql.raw(words[name].long(word));
  /** Reads for longer than anybody waits. */
  const endless = (on: Kysely<AnyTables>): SelectQueryBuilder<AnyTables, AnyTables, AnyTables> =>
    on
      .selectFrom(['a', 'b', 'c', 'd'].map((as) => `${TABLE} as ${as}`))
      .select(({ fn }) => fn.countAll().as('all'))
      // Else MySQL multiplies what it has counted of each.
      .whereRef('a.id', '!=', 'b.id')
      .whereRef('b.id', '!=', 'c.id')
      .whereRef('c.id', '!=', 'd.id');
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
    test('in the middle of a read: the own driver fails, DAL runs it again', async () => {
      await server.db.bulkInsert(TABLE, MANY);
      const own = overOwnDriver(engine);
      const failed = outcome(endless(own).execute());
      await server.kill(await running(TABLE));
      expect(await failed).toBeInstanceOf(Error);
      await own.destroy();

      const abort = new AbortController();
      const answer = outcome(endless(kysely).execute({ signal: abort.signal }));
      const first = await running(TABLE);
      await server.kill(first);
      await expect
        .poll(() => server.running(TABLE), { timeout: 20_000 })
        .toEqual([expect.not.toBeOneOf([first])]);
      abort.abort(new Error('enough'));
      expect(await answer).toMatchObject({ message: 'enough' });
      await gone(TABLE);
    });

    test('in the middle of what may have side effects: it is not repeated', async () => {
      const answer = outcome(long('kysely_once').execute(kysely));
      await server.kill(await seen('kysely_once'));
      expect(dalErrorOf(await answer)).toMatchObject({ kind: 'connection' });
      await gone('kysely_once');
      expect(await read()).toEqual([]);
    });

    test('while it rests: the next query works', async () => {
      const { lostConnections } = db.pool.stats();
      const id = await sql<{ id: unknown }>`${sql.raw(words[name].id)}`.execute(kysely);
      await server.kill(Object.values(id.rows[0]!)[0]);
      await expect
        .poll(() => db.pool.stats().lostConnections, { timeout: 10_000 })
        .toBeGreaterThan(lostConnections);
      expect(await insert(1)).toHaveLength(1);
    });

    test('in the middle of a transaction: it fails, nothing is kept, the pool goes on', async () => {
      const error = await outcome(
        kysely.transaction().execute(async (trx) => {
          await insert(1, trx);
          const statement = outcome(long('kysely_trx').execute(trx));
          await server.kill(await seen('kysely_trx'));
          const first = await statement;
          expect(dalErrorOf(first)).toMatchObject({ kind: 'connection' });
          await insert(2, trx);
        }),
      );
      expect(isDalError(error) && error.kind).toBe('connection');
      expect(await read()).toEqual([]);
      await kysely.transaction().execute((trx) => insert(3, trx));
      expect(await read()).toEqual([{ id: 3 }]);
    });
  });

  test('an aborted statement rejects with the reason, and is gone from the server', async () => {
    const abort = new AbortController();
    const answer = outcome(long('kysely_abort').execute(kysely, { signal: abort.signal }));
    await seen('kysely_abort');
    abort.abort(new Error('enough'));
    expect(await answer).toMatchObject({ message: 'enough' });
    await gone('kysely_abort');
  });

  test.each(['cancel query', 'kill session'] as const)('aborted with "%s"', async (strategy) => {
    const abort = new AbortController();
    const options = { signal: abort.signal, inflightQueryAbortStrategy: strategy };
    const answer = outcome(long('kysely_strategy').execute(kysely, options));
    await seen('kysely_strategy');
    abort.abort(new Error('enough'));
    expect(await answer).toMatchObject({ message: 'enough' });
    await gone('kysely_strategy');
  });

  test('an aborted stream ends, and its connection comes back', async () => {
    await Promise.all([1, 2, 3].map((id) => insert(id)));
    const abort = new AbortController();
    const stream = kysely
      .selectFrom(TABLE)
      .select('id')
      .stream({ chunkSize: 1, signal: abort.signal });
    const error = await outcome(
      (async () => {
        for await (const _ of stream) abort.abort(new Error('enough'));
      })(),
    );
    expect(error).toMatchObject({ message: 'enough' });
  });

  test("a statement has the database's time", async () => {
    const quick = await createDatabase(url, { statementTimeoutMs: 300 });
    const timed = new Kysely<AnyTables>({ dialect: dalDialect(quick) });
    const error = await outcome(long('kysely_timeout').execute(timed));
    expect(dalErrorOf(error)).toMatchObject({ code: 'DAL_STATEMENT_TIMEOUT' });
    await gone('kysely_timeout');
    expect(quick.pool.stats()).toMatchObject({ statementTimeouts: 1 });
    await timed.destroy();
  });

  test('who holds a connection is known by the line', async () => {
    const trx = await kysely.startTransaction().execute();
    await read(trx);
    const [holder] = db.pool.holders();
    expect(holder).toMatchObject({ lastStatement: expect.stringContaining(TABLE) as string });
    expect(holder?.stack).toContain('under-fire.test.ts');
    await trx.rollback().execute();
  });

  test('a transaction that waits for itself is told so', async () => {
    // Without a process of its own SQLite is open at once, so that the time is that of the wait.
    const place = isServer ? url : { url, runsIn: 'inline' };
    const narrow = await createDatabase(place, { pool: { max: 1, acquireTimeoutMs: 300 } });
    const one = new Kysely<AnyTables>({ dialect: dalDialect(narrow) });
    await read(one);
    const error = await outcome(one.transaction().execute(() => read(one)));
    expect(error).toBeInstanceOf(PoolError);
    await one.destroy();
  });

  test('an error of the server has its kind too', async () => {
    await insert(1);
    const error = await outcome(insert(1));
    expect(isDalError(error)).toBe(false);
    expect(dalErrorOf(error)).toMatchObject({ kind: 'unique' });
  });

  test('a failed transaction is not committed, and Kysely is told in its words', async () => {
    const trx = await kysely.startTransaction().execute();
    await insert(1, trx);
    await outcome(insert(1, trx));
    const error = await outcome(trx.commit().execute());
    // Only PostgreSQL gives up the whole transaction.
    if (name === 'postgres') {
      expect(error).toMatchObject({ name: 'AbortedTransactionError' });
      expect((error as Error).cause).toBeInstanceOf(TransactionError);
    } else expect(error).toBeUndefined();
    expect(await read()).toHaveLength(name === 'postgres' ? 0 : 1);
  });

  test.runIf(name === 'postgres')(
    'the answer to COMMIT is lost: it is looked up, and nothing runs twice',
    async () => {
      await using proxy = await startCommitProxy(Number(new URL(url).port));
      const lossy = await createDatabase({ url: proxy.through(url), tls: 'disable' });
      const ours = new Kysely<AnyTables>({ dialect: dalDialect(lossy) });
      const change = (id: number, fault: CommitFault): Promise<unknown> =>
        ours.transaction().execute(async (trx) => {
          await insert(id, trx);
          proxy.arm(fault);
        });
      await change(1, { down: 0 });
      // COMMIT itself is lost.
      expect(await outcome(change(2, { up: 0 }))).toMatchObject({ code: 'DAL_COMMIT_ROLLED_BACK' });
      expect(await read()).toEqual([{ id: 1 }]);
      await ours.destroy();
    },
  );

  test.runIf(name === 'mysql' || name === 'mariadb')(
    'after a deadlock or DDL on MySQL nothing runs outside of the transaction',
    async () => {
      const after = async (
        breakIt: (trx: Kysely<AnyTables>) => Promise<unknown>,
      ): Promise<unknown> =>
        outcome(
          kysely.transaction().execute(async (trx) => {
            await breakIt(trx);
            await insert(9, trx);
          }),
        );
      await insert(1);
      await insert(2);
      const lock = (on: Kysely<AnyTables>, id: number): Promise<unknown> =>
        on.selectFrom(TABLE).selectAll().where('id', '=', id).forUpdate().execute();
      const locked = Promise.withResolvers<void>();
      // It has written more, so that the server ends the other one.
      const other = kysely.transaction().execute(async (trx) => {
        for (const id of [3, 4, 5]) await insert(id, trx);
        await lock(trx, 2);
        locked.resolve();
        await seen(TABLE);
        await lock(trx, 1);
      });
      const error = await after(async (trx) => {
        await lock(trx, 1);
        await locked.promise;
        expect(await outcome(lock(trx, 2))).toMatchObject({ code: 'ER_LOCK_DEADLOCK' });
      });
      await other;
      expect(error).toMatchObject({ code: 'DAL_TRANSACTION_GONE', kind: 'deadlock' });
      const ddl = await after((trx) => sql.raw(`alter table ${TABLE} comment 'x'`).execute(trx));
      expect(ddl).toMatchObject({ code: 'DAL_TRANSACTION_GONE' });
      expect(await read()).toEqual([1, 2, 3, 4, 5].map((id) => ({ id })));
    },
  );

  test.runIf(name === 'sqlite')('SQLite: reads go on beside a transaction', async () => {
    await kysely.transaction().execute(async (trx) => {
      await insert(1, trx);
      expect(await read()).toEqual([]);
      expect(await read(trx)).toEqual([{ id: 1 }]);
    });
  });

  test('the numbers of the pool are those of the queries', async () => {
    const { acquired, released } = db.pool.stats();
    await Promise.all([read(), read(), read()]);
    await kysely.transaction().execute((trx) => read(trx));
    expect(db.pool.stats()).toMatchObject({ acquired: acquired + 4, released: released + 4 });
  });

  test('destroy() closes the database, unless it is to be kept', async () => {
    const shared = await createDatabase(url);
    const first = new Kysely<AnyTables>({ dialect: dalDialect(shared, { keepOpen: true }) });
    await read(first);
    await first.destroy();
    const second = new Kysely<AnyTables>({ dialect: dalDialect(shared) });
    await read(second);
    await second.destroy();
    expect(shared.status().state).toBe('closed');
  });
});

/** The answer, or the error. */
function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => error);
}

describe('an engine that Kysely has no compiler for', () => {
  const engine = inject('engines').find(({ name }) => name === 'sqlite');
  const duck = async (): Promise<Database> => {
    const db = await createDatabase(engine?.url ?? 'sqlite::memory:');
    const dialect = { ...db.dialect, name: 'duckdb' };
    return new Proxy(db, {
      get: (target, key) => {
        if (key === 'dialect') return dialect;
        const member: unknown = Reflect.get(target, key);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  };

  test('is refused by its name, and taken with a language', async () => {
    const db = await duck();
    expect(() => dalDialect(db)).toThrow(ConfigError);
    expect(() => dalDialect(db)).toThrow(/"duckdb".*language/);
    const kysely = new Kysely<AnyTables>({ dialect: dalDialect(db, { language: 'sqlite' }) });
    expect((await sql`select 1 as one`.execute(kysely)).rows).toEqual([{ one: 1 }]);
    const postgres = new PostgresDialect({ pool: undefined as never });
    const other = new Kysely<AnyTables>({ dialect: dalDialect(db, { language: postgres }) });
    expect(other.selectFrom('x').selectAll().where('a', '=', 1).compile().sql).toContain('$1');
    await kysely.destroy();
  });
});
