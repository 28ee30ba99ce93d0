import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@dal/core';
import { sql } from '@dal/core';
import { createEntityManager, type EntityManager } from '@dal/entity';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openEngine, ownName } from './open-engine.ts';

describe.each(inject('engines'))('$name', (engine) => {
  let folder: string;
  let db: Database;
  let em: EntityManager;
  const made: string[] = [];
  const type = (word: string): string => {
    const name = ownName(word);
    made.push(name);
    return name;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-entity-'));
    db = openEngine(engine, join(folder, 'entities.db'));
    em = createEntityManager(db);
  });

  afterAll(async () => {
    for (const name of made) {
      await db.execute(sql`DROP TABLE IF EXISTS ${sql.id(name)}`);
      await db.execute(sql`DROP TABLE IF EXISTS ${sql.id(`${name}_history`)}`);
      await db.execute('DELETE FROM dal_entity_fields WHERE entity_type = ?', [name]);
    }
    await db.close();
    await rm(folder, { recursive: true });
  });

  test('what is saved comes back as it was', async () => {
    const notes = type('notes');
    const saved = await em.save(
      notes,
      {
        title: 'Grüße 👋 \\ \' " `',
        count: 42,
        share: 0.1,
        big: 9_007_199_254_740_993n,
        done: true,
        due: new Date('2024-02-29T12:34:56.789Z'),
        tags: ['a', { deep: [1, null, 'x'] }],
        settings: { theme: 'dark', on: true, n: 1e21 },
        bytes: new Uint8Array([0, 1, 255]),
        naïve: 'ünï',
        nothing: null,
      },
      { userId: 'ada', comment: 'first' },
    );
    expect(saved).toMatchObject({
      version: 1,
      created_by: 'ada',
      updated_by: 'ada',
      deleted_at: null,
      title: 'Grüße 👋 \\ \' " `',
      big: 9_007_199_254_740_993n,
      bytes: Buffer.from([0, 1, 255]),
    });
    expect(await em.get(notes, saved.id)).toEqual(saved);
    expect(await createEntityManager(db).get(notes, saved.id)).toEqual(saved);
    expect(Object.keys(saved)).not.toContain('nothing');
  });

  test('a change touches the given fields only, and makes a version', async () => {
    const users = type('users');
    const { id } = await em.save(users, { name: 'Ada', age: 36 });
    const second = await em.save(users, { id, age: 37 }, { userId: 'bob', comment: 'birthday' });
    expect(second).toMatchObject({ id, version: 2, name: 'Ada', age: 37, updated_by: 'bob' });
    const third = await em.save(users, { ...second, name: null, city: 'Oslo' });
    expect(third).toMatchObject({ version: 3, name: null, age: 37, city: 'Oslo' });
    expect(await em.updateFields(users, id, { city: 'Lima' })).toMatchObject({
      version: 4,
      city: 'Lima',
      age: 37,
    });
    const history = await em.history(users, id);
    expect(history.map(({ version, age, name }) => [version, age, name])).toEqual([
      [4, 37, null],
      [3, 37, null],
      [2, 37, 'Ada'],
      [1, 36, 'Ada'],
    ]);
    expect(history[2]).toMatchObject({ version_operation: 'update', version_comment: 'birthday' });
    expect(await em.history(users, id, { limit: 2 })).toHaveLength(2);
    expect(await em.version(users, id, 1)).toMatchObject({
      version: 1,
      version_operation: 'create',
      city: null,
    });
    expect(await em.version(users, id, 9)).toBeUndefined();
    const back = await em.rollbackTo(users, id, 1, { userId: 'eve' });
    expect(back).toMatchObject({ version: 5, name: 'Ada', age: 36, city: null, updated_by: 'eve' });
    expect(await em.get(users, id)).toEqual(back);
    await expect(em.updateFields(users, 'nobody', { age: 1 })).rejects.toMatchObject({
      code: 'DAL_ENTITY_NOT_FOUND',
    });
  });

  test('deleted ones are hidden, and come back', async () => {
    const users = type('users');
    const { id } = await em.save(users, { id: 'a', name: 'Ada' });
    expect(await em.delete(users, id, { userId: 'bob' })).toBe(true);
    expect(await em.delete(users, id)).toBe(false);
    expect(await em.get(users, id)).toBeUndefined();
    expect(await em.exists(users, id)).toBe(false);
    expect(await em.count(users)).toBe(0);
    expect(await em.find(users)).toEqual([]);
    expect(await em.getBy(users, 'name', 'Ada')).toBeUndefined();
    expect(await em.get(users, id, { includeDeleted: true })).toMatchObject({
      version: 2,
      deleted_at: expect.any(Date),
    });
    expect(await em.restore(users, id)).toBe(true);
    expect(await em.restore(users, id)).toBe(false);
    expect(await em.get(users, id)).toMatchObject({ version: 3, name: 'Ada', deleted_at: null });
    expect((await em.history(users, id)).map((one) => one.version_operation)).toEqual([
      'restore',
      'delete',
      'create',
    ]);
    expect(await em.delete(users, id, { permanent: true })).toBe(true);
    expect(await em.delete(users, id, { permanent: true })).toBe(false);
    expect(await em.history(users, id)).toEqual([]);
    expect(await em.save(users, { id, name: 'New' })).toMatchObject({ version: 1 });
  });

  test('questions in all their forms', async () => {
    const people = type('people');
    await em.saveMany(people, [
      { id: '1', name: 'Ada', age: 36, city: 'London', likes: ['maths'] },
      { id: '2', name: 'Bob', age: 21, city: 'Oslo' },
      { id: '3', name: 'eve', age: 50, city: null },
      { id: '4', name: 'Eve', city: 'Oslo' },
    ]);
    const ids = async (options: Parameters<EntityManager['find']>[1]): Promise<string> =>
      (await em.find(people, options)).map(({ id }) => id).join('');
    expect(await ids({})).toBe('1234');
    expect(await ids({ where: { city: 'Oslo' } })).toBe('24');
    expect(await ids({ where: { city: ['Oslo', null] } })).toBe('234');
    expect(await ids({ where: { city: null } })).toBe('3');
    expect(await ids({ where: { city: { '!=': 'Oslo' } } })).toBe('13');
    expect(await ids({ where: { age: { '>': 21, '<=': 50 } } })).toBe('13');
    expect(await ids({ where: { age: { 'not in': [36] } } })).toBe('234');
    expect(await ids({ where: { name: { in: [] } } })).toBe('');
    expect(await ids({ where: { name: 'Eve' } })).toBe('4');
    expect(await ids({ where: { name: { like: 'A%' } } })).toBe('1');
    expect(await ids({ where: ['age > ? AND city = ?', [30, 'London']] })).toBe('1');
    expect(await ids({ where: sql`age > ${30} -- all`, limit: 5, offset: 1 })).toBe('3');
    expect(await ids({ where: { likes: { '!=': null } } })).toBe('1');
    expect(await ids({ orderBy: 'age' })).toBe('4213');
    expect(await ids({ orderBy: ['age', 'desc'] })).toBe('3124');
    expect(await ids({ orderBy: [['city', 'DESC'], 'name'], limit: 3 })).toBe('241');
    expect(await ids({ offset: 2 })).toBe('34');
    expect(await em.count(people, { where: { city: 'Oslo' } })).toBe(2);
    expect(await em.getBy(people, 'name', 'Bob')).toMatchObject({ id: '2' });
    const query = em.from(people).where('age', '>', 20).orderBy('age', 'desc');
    expect((await query.limit(2).all()).map(({ id }) => id)).toEqual(['3', '1']);
    expect(await query.where('city', ['Oslo', 'London']).count()).toBe(2);
    expect(await query.first()).toMatchObject({ id: '3' });
    expect(await query.offset(1).first()).toMatchObject({ id: '1' });
    await expect(em.find(people, { where: { nmae: 'x' } })).rejects.toThrow('Did you mean "name"?');
    expect(() => em.from(people).where('age', '; DROP' as '=', 1)).toThrow('no operator');
    expect(await em.find(ownName('none'), { where: { any: 1 } })).toEqual([]);
  });

  test('many at once, new and known, or none of them', async () => {
    const items = type('items');
    const list = Array.from({ length: 1_200 }, (_, n) => ({ n, text: `text ${n}` }));
    const ids = await em.saveMany(items, list, { userId: 'ada' });
    expect(new Set(ids).size).toBe(1_200);
    expect(await em.count(items)).toBe(1_200);
    expect(await em.get(items, ids[7] ?? '')).toMatchObject({
      n: 7,
      version: 1,
      created_by: 'ada',
    });
    const again = await em.saveMany(items, [
      ...ids.slice(0, 600).map((id, n) => ({ id, n: -n })),
      { id: 'own', text: 'new' },
      { id: 'own', n: 5 },
      { text: 'other' },
    ]);
    expect(again).toHaveLength(603);
    expect(await em.get(items, ids[7] ?? '')).toMatchObject({ n: -7, version: 2, text: 'text 7' });
    expect(await em.get(items, 'own')).toMatchObject({ n: 5, version: 2, text: 'new' });
    expect(await em.history(items, ids[599] ?? '')).toHaveLength(2);
    expect(await em.count(items)).toBe(1_202);
    const broken = list.map((item, n) => (n === 500 ? { ...item, n: 'text' } : item));
    await expect(em.saveMany(items, broken)).rejects.toMatchObject({ code: 'DAL_ENTITY_TYPE' });
    expect(await em.count(items)).toBe(1_202);
    expect(await em.saveMany(items, [])).toEqual([]);
  });

  test('the version that is expected', async () => {
    const users = type('users');
    await em.save(users, { id: 'a', n: 1 }, { expectedVersion: 0 });
    await expect(em.save(users, { id: 'a', n: 2 }, { expectedVersion: 0 })).rejects.toMatchObject({
      name: 'VersionConflictError',
      actualVersion: 1,
    });
    await em.save(users, { id: 'a', n: 2 }, { expectedVersion: 1 });
    for (const change of [
      () => em.save(users, { id: 'a', n: 3 }, { expectedVersion: 1 }),
      () => em.updateFields(users, 'a', { n: 3 }, { expectedVersion: 1 }),
      () => em.delete(users, 'a', { expectedVersion: 1 }),
      () => em.delete(users, 'a', { expectedVersion: 1, permanent: true }),
      () => em.rollbackTo(users, 'a', 1, { expectedVersion: 1 }),
    ]) {
      await expect(change()).rejects.toMatchObject({ expectedVersion: 1, actualVersion: 2 });
    }
    expect(await em.history(users, 'a')).toHaveLength(2);
  });

  test('many who save the same one make one version each', async () => {
    const counters = type('counters');
    const saves = Array.from({ length: 40 }, (_, n) => em.save(counters, { id: 'x', n }));
    await Promise.all(saves);
    const versions = (await em.history(counters, 'x')).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: 40 }, (_, n) => 40 - n));
  });

  test('many managers that grow a new type at once all succeed', async () => {
    const things = type('things');
    await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        createEntityManager(db).save(things, { id: `t${n}`, [`field${n}`]: n, shared: `s${n}` }),
      ),
    );
    for (let n = 0; n < 6; n++) {
      expect(await em.get(things, `t${n}`)).toMatchObject({ [`field${n}`]: n, shared: `s${n}` });
    }
    expect((await em.schema(things))?.fields).toHaveLength(7);
  });

  test('a manager that knows an older type loses nothing', async () => {
    const docs = type('docs');
    const old = createEntityManager(db);
    await old.save(docs, { id: 'd', a: 1 });
    await em.save(docs, { id: 'd', b: 'new' });
    await old.save(docs, { id: 'd', a: 2 });
    expect(await old.get(docs, 'd')).toMatchObject({ a: 2, b: 'new', version: 3 });
    expect(await old.version(docs, 'd', 2)).toMatchObject({ a: 1, b: 'new' });
  });

  test('types, their fields and their JSON', async () => {
    const events = type('events');
    const declared = createEntityManager(db, {
      types: { [events]: { indexes: ['kind', ['kind', 'at']] } },
    });
    const saved = await declared.save(events, {
      kind: 'start',
      at: new Date(0),
      size: 2n ** 60n,
      raw: Buffer.from('x'),
      more: { a: 1 },
    });
    expect(await em.types()).toContain(events);
    expect(await em.schema(events)).toMatchObject({
      name: events,
      historyTable: `${events}_history`,
      fields: [
        { name: 'at', kind: 'timestamp' },
        { name: 'kind', kind: 'text' },
        { name: 'more', kind: 'json' },
        { name: 'raw', kind: 'bytes' },
        { name: 'size', kind: 'bigint' },
      ],
      indexes: expect.arrayContaining([['kind'], ['kind', 'at']]),
    });
    expect(await em.fromJson(events, em.toJson(saved))).toEqual(saved);
    expect(await em.schema(ownName('none'))).toBeUndefined();
    expect(await em.raw(`SELECT count(*) AS n FROM ${events} WHERE kind = ?`, ['start'])).toEqual([
      { n: 1 },
    ]);
    await expect(em.save(events, { kind: 5 })).rejects.toMatchObject({ code: 'DAL_ENTITY_TYPE' });
  });

  test('in a transaction of the caller', async () => {
    const users = type('users');
    await em.prepare(users, { name: 'x' });
    await expect(
      db.transaction(async (tx) => {
        await em.on(tx).save(users, { id: 'a', name: 'Ada' });
        await em.on(tx).save(users, { id: 'a', name: 'Eve' });
        expect(await em.on(tx).get(users, 'a')).toMatchObject({ version: 2 });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await em.get(users, 'a')).toBeUndefined();
    await db.transaction(async (tx) => {
      await em.on(tx).saveMany(users, [
        { id: 'a', name: 'Ada' },
        { id: 'a', name: 'Bob' },
      ]);
      await em.on(tx).delete(users, 'a');
    });
    expect(await em.history(users, 'a')).toHaveLength(3);
    const fresh = type('fresh');
    const grow = db.transaction((tx) => em.on(tx).save(fresh, { a: 1 }));
    if (db.dialect.ddlCommits) {
      await expect(grow).rejects.toThrow(`em.prepare("${fresh}", sample)`);
    } else expect(await grow).toMatchObject({ a: 1 });
  });

  test("ddl 'never' tells the statements that are missing", async () => {
    const users = type('users');
    const strict = createEntityManager(db, { ddl: 'never' });
    for (const entity of [
      { id: 'a', name: "O'Hara" },
      { id: 'a', 'wörd "x"': 5 },
    ]) {
      const error = (await strict.save(users, entity).catch((thrown: unknown) => thrown)) as {
        code: string;
        ddl: string[];
      };
      expect(error.code).toBe('DAL_ENTITY_DDL_NEVER');
      for (const statement of error.ddl) await db.execute(statement);
      expect(await strict.save(users, entity)).toMatchObject(entity);
    }
  });

  test('a name that the engine refuses is no lasting harm', async () => {
    const rows = type('rows');
    for (const entity of [
      { id: 'a', ctid: 1, ok: 1 },
      { id: 'b', ctid: 2 },
    ]) {
      await em.save(rows, entity).catch((error: unknown) => {
        expect(error).toMatchObject({ kind: 'schema' });
      });
    }
    expect(await em.save(rows, { id: 'c', ok: 2, other: 3 })).toMatchObject({ ok: 2, other: 3 });
  });

  test('history that is off', async () => {
    const logs = type('logs');
    const plain = createEntityManager(db, { types: { [logs]: { history: 'off' } } });
    await plain.save(logs, { id: 'a', n: 1 });
    expect(await plain.save(logs, { id: 'a', n: 2 })).toMatchObject({ version: 2 });
    expect(await plain.history(logs, 'a')).toHaveLength(1);
  });

  test('the clock and the signal of a call', async () => {
    const users = type('users');
    await em.prepare(users, { name: 'x' });
    const signal = AbortSignal.abort();
    await expect(em.save(users, { name: 'x' }, { signal })).rejects.toMatchObject({
      kind: 'cancelled',
    });
    await expect(em.find(users, { limt: 1 } as object)).rejects.toThrow('Did you mean "limit"?');
    expect(await em.count(users, { timeoutMs: '5s' })).toBe(0);
  });
});
