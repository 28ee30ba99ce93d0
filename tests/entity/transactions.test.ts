import { sql } from '@dal/core';
import { createEntityManager, type EntityManager, type EntitySchemaError } from '@dal/entity';
import { createDatabase, type Database } from '@dal/factory';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type OwnDatabase, ownDatabase } from './own-database.ts';

enableSync();

class Changed extends Error {}

describe.each(inject('engines'))('$name', ({ name, url }) => {
  const commitsDdl = name === 'mysql' || name === 'mariadb';
  let own: OwnDatabase;
  let db: Database;
  let other: Database;
  let em: EntityManager;

  beforeAll(async () => {
    own = await ownDatabase({ name, url }, 'transactions');
    db = await createDatabase(own.url, { pool: { max: 4 } });
    other = await createDatabase(own.url, { pool: { max: 1 } });
    em = createEntityManager(db);
    await other.execute('CREATE TABLE plain_rows (n INT)');
    await em.prepare('orders', { n: 1, text: '' });
  });
  afterAll(async () => {
    await other.close();
    await db.close();
    await own[Symbol.asyncDispose]();
  });

  const plainRows = async (n: number): Promise<number> =>
    Number(await other.queryValue('SELECT COUNT(*) FROM plain_rows WHERE n = ?', [n]));

  test("entities join the user's transaction: rolled back together, committed together", async () => {
    const work = (fails: boolean): Promise<void> =>
      db.transaction(async (tx) => {
        const inside = em.on(tx);
        await tx.execute('INSERT INTO plain_rows VALUES (1)');
        await inside.save('orders', { id: 'a', n: 1 });
        await inside.saveMany('orders', [
          { id: 'b', n: 2 },
          { id: 'a', n: 3 },
        ]);
        await inside.updateFields('orders', 'b', { n: 4 });
        await inside.delete('orders', 'b');
        expect(await inside.get('orders', 'a')).toMatchObject({ n: 3, version: 2 });
        // Nobody else sees any of it yet.
        expect(await em.get('orders', 'a')).toBe(undefined);
        if (fails) throw new Changed();
      });
    await expect(work(true)).rejects.toThrow(Changed);
    expect(await em.count('orders', { includeDeleted: true })).toBe(0);
    expect(await em.history('orders', 'a')).toEqual([]);
    expect(await plainRows(1)).toBe(0);
    await work(false);
    expect(await em.get('orders', 'a')).toMatchObject({ n: 3, version: 2 });
    expect((await em.history('orders', 'b')).map((one) => one.version_operation)).toEqual([
      'delete',
      'update',
      'create',
    ]);
    expect(await plainRows(1)).toBe(1);
  });

  test('a savepoint takes its entities with it, and no others', async () => {
    await db.transaction(async (tx) => {
      await em.on(tx).save('orders', { id: 'kept', n: 1 });
      const inner = tx.transaction(async (nested) => {
        await em.on(nested).save('orders', { id: 'kept', n: 2 });
        await em.on(nested).save('orders', { id: 'undone', n: 2 });
        throw new Changed();
      });
      await expect(inner).rejects.toThrow(Changed);
    });
    expect(await em.get('orders', 'kept')).toMatchObject({ n: 1, version: 1 });
    expect(await em.exists('orders', 'undone', { includeDeleted: true })).toBe(false);
    expect(await em.history('orders', 'kept')).toHaveLength(1);
  });

  test('a connection, with and without a transaction by hand', async () => {
    await db.connection(async (connection) => {
      const bound = em.on(connection);
      await bound.save('orders', { id: 'lent', n: 1 });
      expect(await em.get('orders', 'lent')).toMatchObject({ version: 1 });
      await connection.begin();
      await bound.save('orders', { id: 'lent', n: 2 });
      await connection.rollback();
    });
    expect(await em.get('orders', 'lent')).toMatchObject({ n: 1, version: 1 });
  });

  test('blocking: em.sync.on joins a transaction of db.sync', async () => {
    const work = (fails: boolean): void =>
      db.sync.transaction((tx) => {
        const inside = em.sync.on(tx);
        tx.execute('INSERT INTO plain_rows VALUES (2)');
        inside.save('orders', { id: 'sync', n: 1 });
        inside.save('orders', { id: 'sync', n: 2 });
        if (fails) throw new Changed();
      });
    expect(() => work(true)).toThrow(Changed);
    expect(await em.exists('orders', 'sync')).toBe(false);
    expect(await plainRows(2)).toBe(0);
    work(false);
    expect(await em.get('orders', 'sync')).toMatchObject({ n: 2, version: 2 });
    expect(await plainRows(2)).toBe(1);
  });

  test.runIf(commitsDdl)(
    'growth inside is an error that names em.prepare; the transaction stays whole',
    async () => {
      for (const [type, entity] of [
        ['unknown_type', { n: 1 }],
        ['orders', { id: 'c', brand_new: 1 }],
      ] as const) {
        const call = db.transaction(async (tx) => {
          await tx.execute('INSERT INTO plain_rows VALUES (3)');
          await em.on(tx).save(type, entity);
        });
        await expect(call).rejects.toMatchObject({
          name: 'EntitySchemaError',
          code: 'DAL_ENTITY_DDL_IN_TRANSACTION',
          message: expect.stringContaining('em.prepare'),
        });
        // Committed by nothing on the way.
        expect(await plainRows(3)).toBe(0);
      }
      expect(await em.types()).not.toContain('unknown_type');
      const blocking = (): void =>
        db.sync.transaction((tx) => void em.sync.on(tx).save('nope', { n: 1 }));
      expect(blocking).toThrow(/em\.prepare/);
      // By hand, where only the session knows that one is open.
      await db.connection(async (connection) => {
        await connection.begin();
        await connection.execute('INSERT INTO plain_rows VALUES (3)');
        await expect(em.on(connection).save('unknown_type', { n: 1 })).rejects.toThrow(
          /em\.prepare/,
        );
        expect(connection.inTransaction).toBe(true);
        await connection.rollback();
      });
      expect(await plainRows(3)).toBe(0);
      await em.prepare('unknown_type', { n: 1 });
      await em.prepare('orders', { brand_new: 1 });
      await db.transaction(async (tx) => {
        await em.on(tx).save('unknown_type', { id: 'now', n: 1 });
        await em.on(tx).save('orders', { id: 'c', brand_new: 1 });
      });
      expect(await em.get('unknown_type', 'now')).toMatchObject({ n: 1 });
      expect(await em.get('orders', 'c')).toMatchObject({ brand_new: 1 });
    },
  );

  test.runIf(!commitsDdl)(
    'growth inside is part of the transaction, and is made again after a rollback',
    async () => {
      const work = (fails: boolean): Promise<void> =>
        db.transaction(async (tx) => {
          await em.on(tx).save('grown_inside', { id: 'x', n: 1 });
          await em.on(tx).save('orders', { id: 'grown', inside_only: 'y' });
          if (fails) throw new Changed();
        });
      await expect(work(true)).rejects.toThrow(Changed);
      expect(await em.types()).not.toContain('grown_inside');
      expect(await em.exists('orders', 'grown')).toBe(false);
      // What the manager learned inside is not true any more.
      await em.save('orders', { id: 'grown', inside_only: 'z' });
      expect(await em.get('orders', 'grown')).toMatchObject({ inside_only: 'z' });
      await work(false);
      expect(await em.get('grown_inside', 'x')).toMatchObject({ n: 1 });
      expect(await em.get('orders', 'grown')).toMatchObject({ inside_only: 'y', version: 2 });
    },
  );

  test("ddl: 'never' makes nothing, and prints what it takes", async () => {
    const strict = createEntityManager(db, { ddl: 'never' });
    const refusal = async (type: string, entity: object): Promise<readonly string[]> => {
      const error = await strict.save(type, entity).then(
        () => undefined,
        (reason: unknown) => reason as EntitySchemaError,
      );
      expect(error).toMatchObject({ name: 'EntitySchemaError', code: 'DAL_ENTITY_DDL_NEVER' });
      expect(error?.ddl.length).toBeGreaterThan(0);
      for (const statement of error?.ddl ?? []) expect(error?.message).toContain(statement);
      return error?.ddl ?? [];
    };
    const before = (await other.schema.tables()).map((table) => table.name);
    const make = await refusal('handmade', { text: 'a', n: 1 });
    expect((await other.schema.tables()).map((table) => table.name)).toEqual(before);
    // Nor is a missing table taken for an empty one.
    await expect(strict.get('handmade', 'x')).rejects.toMatchObject({
      code: 'DAL_ENTITY_DDL_NEVER',
    });
    // The statements are true: run by somebody else, they make it work.
    for (const statement of make) await other.execute(statement);
    const saved = await strict.save('handmade', { text: 'a', n: 1 });
    expect(await strict.get('handmade', saved.id)).toEqual(saved);
    const grow = await refusal('handmade', { id: saved.id, at: new Date(5) });
    expect(grow.join()).toMatch(/ALTER TABLE/i);
    for (const statement of grow) await other.execute(statement);
    expect(await strict.save('handmade', { id: saved.id, at: new Date(5) })).toMatchObject({
      text: 'a',
      at: new Date(5),
      version: 2,
    });
  });

  test('parallel updateFields of two fields: both stay, each is a version', async () => {
    const rounds = 25;
    await em.save('orders', { id: 'two', n: 0, text: '' });
    const each = async (fieldsOf: (round: number) => object): Promise<void> => {
      for (let round = 1; round <= rounds; round++) {
        await em.updateFields('orders', 'two', fieldsOf(round));
      }
    };
    await Promise.all([each((n) => ({ n })), each((n) => ({ text: `t${n}` }))]);
    const last = { n: rounds, text: `t${rounds}`, version: 2 * rounds + 1 };
    expect(await em.get('orders', 'two')).toMatchObject(last);
    const versions = (await em.history('orders', 'two')).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: last.version }, (_, at) => last.version - at));
  });

  // SQLite lets nobody else write while a transaction is open.
  test.runIf(name !== 'sqlite')(
    'in a transaction that has read before, a change and its refusal see what is there now',
    async () => {
      const { version } = await em.save('orders', { id: 'moved', n: 1 });
      const overtaken = db.transaction(
        async (tx) => {
          const seen = await em.on(tx).get('orders', 'moved');
          if (seen?.['text'] !== 'outside')
            await em.save('orders', { id: 'moved', text: 'outside' });
          const stale = { expectedVersion: version };
          await em.on(tx).updateFields('orders', 'moved', { n: 2 }, stale);
        },
        { retries: 2 },
      );
      await expect(overtaken).rejects.toMatchObject({
        name: 'VersionConflictError',
        actualVersion: version + 1,
      });
      expect(await em.get('orders', 'moved')).toMatchObject({ n: 1, text: 'outside' });
    },
  );

  test('of many that expect the same version, one wins; so of many that make the same id', async () => {
    const race = async (id: string, expectedVersion: number): Promise<string[]> => {
      const all = Array.from({ length: 8 }, (_, n) =>
        em.save('orders', { id, n }, { expectedVersion }),
      );
      const ends = await Promise.allSettled(all);
      return ends
        .map((end) => (end.status === 'fulfilled' ? 'won' : (end.reason as Error).name))
        .toSorted((a, b) => b.localeCompare(a));
    };
    const oneWins = ['won', ...Array.from({ length: 7 }, () => 'VersionConflictError')];
    expect(await race('race', 0)).toEqual(oneWins);
    expect(await race('race', 1)).toEqual(oneWins);
    expect(await em.get('orders', 'race')).toMatchObject({ version: 2 });
    // Without an expectation all of them count.
    await Promise.all(Array.from({ length: 8 }, (_, n) => em.save('orders', { id: 'same', n })));
    expect(await em.get('orders', 'same')).toMatchObject({ version: 8 });
    expect(await em.history('orders', 'same')).toHaveLength(8);
  });

  test('saveMany of the same ids in opposite orders: nobody is lost to a deadlock', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `d${n}`);
    const orders = [ids, ids.toReversed(), ids, ids.toReversed()];
    await Promise.all(
      orders.map((list, n) =>
        em.saveMany(
          'orders',
          list.map((id) => ({ id, n })),
        ),
      ),
    );
    const found = await em.find('orders', { where: { id: { like: 'd%' } } });
    expect(found).toHaveLength(40);
    for (const one of found) expect(one.version, one.id).toBe(4);
    // Each call was one transaction, so all ids saw the same one last.
    expect(new Set(found.map((one) => one['n'])).size).toBe(1);
  });

  test('saveMany of 10,000 entities takes few round trips', { timeout: 60_000 }, async () => {
    await em.prepare('crowd', { n: 1, text: '', list: [] });
    let statements = 0;
    const off = db.hooks.on('query:before', () => statements++);
    const crowd = Array.from({ length: 10_000 }, (_, n) => ({ n, text: `t${n}`, list: [n] }));
    const ids = await em.saveMany('crowd', crowd);
    off();
    expect(new Set(ids).size).toBe(10_000);
    expect(statements).toBeLessThan(200);
    const schema = await em.schema('crowd');
    const table = sql.id(schema?.table ?? '');
    expect(Number(await other.queryValue(sql`SELECT COUNT(*) FROM ${table}`))).toBe(10_000);
    expect(await em.get('crowd', ids[7_777]!)).toMatchObject({
      n: 7_777,
      text: 't7777',
      list: [7_777],
    });
  });

  test('what another manager adds is seen at once', async () => {
    const second = createEntityManager(db);
    await em.save('shared_type', { id: 'x', a: 1 });
    expect(await second.get('shared_type', 'x')).toMatchObject({ a: 1 });
    await second.save('shared_type', { id: 'x', b: 'new' });
    expect(await em.get('shared_type', 'x')).toMatchObject({ a: 1, b: 'new' });
    expect(await em.save('shared_type', { id: 'y', b: 'mine' })).toMatchObject({ b: 'mine' });
    expect(await em.find('shared_type', { where: { b: 'mine' } })).toHaveLength(1);
    await expect(em.save('shared_type', { id: 'y', b: 5 })).rejects.toMatchObject({
      name: 'EntityTypeError',
    });
  });

  test('the time and the signal count for the whole call', async () => {
    const holder = await db.acquire();
    try {
      await holder.begin();
      await em.on(holder).save('orders', { id: 'a', n: 77 });
      const begun = performance.now();
      await expect(em.save('orders', { id: 'a', n: 78 }, { timeoutMs: 300 })).rejects.toMatchObject(
        {
          name: expect.stringMatching(/Error$/),
        },
      );
      expect(performance.now() - begun).toBeLessThan(5_000);
      const signal = AbortSignal.timeout(200);
      await expect(em.save('orders', { id: 'a', n: 79 }, { signal })).rejects.toThrow(
        /abort|cancel|timeout|timed/i,
      );
      expect(performance.now() - begun).toBeLessThan(10_000);
    } finally {
      await holder.rollback();
      await holder.release();
    }
    expect(await em.save('orders', { id: 'a', n: 80 })).toMatchObject({ n: 80 });
    const [newest, before] = await em.history('orders', 'a');
    expect([newest?.['n'], before?.['n']]).toEqual([80, 3]);
  });
});
