import { sql } from '@dal/core';
import { createEntityManager, type EntityVerbs } from '@dal/entity';
import { createDatabase, type Database } from '@dal/factory';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { asAwaited } from './as-awaited.ts';
import { type OwnDatabase, ownDatabase } from './own-database.ts';

enableSync();

const worlds = ['awaited', 'blocking'] as const;
const cases = inject('engines').flatMap((engine) => worlds.map((world) => ({ ...engine, world })));

// One suite for both worlds: what it says of em.save it says of em.sync.save too.
describe.each(cases)('$name, $world', ({ name, url, world }) => {
  let own: OwnDatabase;
  let db: Database;
  /** Another session, which knows nothing of entities. */
  let other: Database;
  let em: EntityVerbs<'awaited'>;

  beforeAll(async () => {
    own = await ownDatabase({ name, url }, `verbs_${world}`);
    db = await createDatabase(own.url, { pool: { max: 2 } });
    other = await createDatabase(own.url, { pool: { max: 1 } });
    const manager = createEntityManager(db, { types: { unkept: { history: 'off' } } });
    em = world === 'awaited' ? manager : asAwaited(manager.sync);
  });
  afterAll(async () => {
    await other.close();
    await db.close();
    await own[Symbol.asyncDispose]();
  });

  /** The row as the server has it, without the entity manager. */
  const rowOf = async (type: string, id: string): Promise<Record<string, unknown> | undefined> => {
    const schema = await em.schema(type);
    return other.queryOne(sql`SELECT * FROM ${sql.id(schema?.table ?? '')} WHERE id = ${id}`);
  };

  test('save makes the table, the columns, an id and the system fields', async () => {
    const before = Date.now();
    const saved = await em.save('cities', { name: 'Oslo', people: 709_037 }, { userId: 'ada' });
    expect(saved).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      name: 'Oslo',
      people: 709_037,
      version: 1,
      created_at: expect.any(Date),
      updated_at: expect.any(Date),
      deleted_at: null,
      created_by: 'ada',
      updated_by: 'ada',
    });
    expect(Math.abs(saved.created_at.getTime() - before)).toBeLessThan(60_000);
    expect(await rowOf('cities', saved.id)).toMatchObject({ name: 'Oslo', people: 709_037 });
    expect(await em.get('cities', saved.id)).toEqual(saved);
  });

  test('generated ids sort in the order in which they were made', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) ids.push((await em.save('ordered', { n })).id);
    ids.push(...(await em.saveMany('ordered', [{ n: 20 }, { n: 21 }, { n: 22 }])));
    expect(ids.toSorted()).toEqual(ids);
    expect((await em.find('ordered')).map(({ id }) => id)).toEqual(ids);
  });

  test('a second save changes the given fields alone; null sets null, undefined is not given', async () => {
    const id = 'user-123';
    const first = await em.save('users', { id, name: 'Ada', mail: 'a@b.c', age: 36 });
    const second = await em.save(
      'users',
      { id, age: 37, mail: null, name: undefined },
      { userId: 'bob', comment: 'birthday' },
    );
    expect(second).toMatchObject({
      name: 'Ada',
      mail: null,
      age: 37,
      version: 2,
      updated_by: 'bob',
    });
    expect(second.created_at).toEqual(first.created_at);
    expect(second.created_by).toBe(null);
    expect(second.updated_at.getTime()).toBeGreaterThanOrEqual(first.updated_at.getTime());
    expect(await em.get('users', id)).toEqual(second);
  });

  test('what get gave can be changed and saved again', async () => {
    const made = await em.save('handed', { title: 'one', tags: ['a'] });
    const got = await em.get<{ title: string; tags: string[] }>('handed', made.id);
    const saved = await em.save('handed', { ...got, title: 'two' });
    expect(saved).toMatchObject({ title: 'two', tags: ['a'], version: 2 });
    expect(saved.created_at).toEqual(made.created_at);
  });

  test('a field that comes later is null in those that were there before', async () => {
    const early = await em.save('growing', { a: 1 });
    const late = await em.save('growing', { b: 'two' });
    expect(await em.get('growing', early.id)).toMatchObject({ a: 1, b: null });
    expect(await em.get('growing', late.id)).toMatchObject({ a: null, b: 'two' });
  });

  test('saveMany answers ids in order; the same id twice is two versions', async () => {
    const made = await em.save('many', { n: 0, keep: 'me' });
    const ids = await em.saveMany(
      'many',
      [{ n: 1 }, { id: made.id, n: 2 }, { id: 'own', n: 3, list: [1] }, { id: made.id, n: 4 }],
      { userId: 'ada', comment: 'in bulk' },
    );
    expect(ids).toEqual([expect.any(String), made.id, 'own', made.id]);
    expect(await em.get('many', made.id)).toMatchObject({ n: 4, keep: 'me', version: 3 });
    expect(await em.get('many', 'own')).toMatchObject({ n: 3, list: [1], version: 1 });
    const versions = await em.history('many', made.id);
    expect(versions.map(({ version, n, version_comment: why }) => [version, n, why])).toEqual([
      [3, 4, 'in bulk'],
      [2, 2, 'in bulk'],
      [1, 0, null],
    ]);
    expect(await em.saveMany('many', [])).toEqual([]);
  });

  test('saveMany: failure at 500 of 1000, and none is there, nor a version of one', async () => {
    await em.save('bulk', { id: 'seed', n: 0 });
    const thousand = Array.from({ length: 1000 }, (_, n) => ({ id: `b${n}`, n: n as unknown }));
    thousand[500] = { id: 'b500', n: 'not a number' };
    await expect(em.saveMany('bulk', thousand)).rejects.toMatchObject({ name: 'EntityTypeError' });
    // The server's refusal in the middle counts as much as the manager's own.
    thousand[500] = { id: 'x'.repeat(5000), n: 500 };
    await expect(em.saveMany('bulk', thousand)).rejects.toThrow(/id/);
    const schema = await em.schema('bulk');
    const rows = async (table = ''): Promise<number> =>
      Number(await other.queryValue(sql`SELECT COUNT(*) FROM ${sql.id(table)}`));
    expect([await rows(schema?.table), await rows(schema?.historyTable)]).toEqual([1, 0]);
  });

  test('get: undefined for who is not there, and for the deleted unless asked for', async () => {
    const { id } = await em.save('gone', { name: 'x' });
    expect(await em.get('gone', 'nobody')).toBe(undefined);
    expect(await em.get('no_such_type', 'nobody')).toBe(undefined);
    expect(await em.delete('gone', id)).toBe(true);
    expect(await em.get('gone', id)).toBe(undefined);
    expect(await em.get('gone', id, { includeDeleted: true })).toMatchObject({
      id,
      name: 'x',
      version: 2,
      deleted_at: expect.any(Date),
    });
  });

  test('getBy: the first by id with that value; null finds one without', async () => {
    await em.saveMany('mails', [
      { id: 'b', mail: 'same', at: new Date(5) },
      { id: 'a', mail: 'same', at: null },
      { id: 'c', mail: null, at: new Date(7) },
    ]);
    expect(await em.getBy('mails', 'mail', 'same')).toMatchObject({ id: 'a' });
    expect(await em.getBy('mails', 'mail', null)).toMatchObject({ id: 'c' });
    expect(await em.getBy('mails', 'at', new Date(7))).toMatchObject({ id: 'c' });
    expect(await em.getBy('mails', 'mail', 'none')).toBe(undefined);
    await em.delete('mails', 'a');
    expect(await em.getBy('mails', 'mail', 'same')).toMatchObject({ id: 'b' });
    expect(await em.getBy('mails', 'mail', 'same', { includeDeleted: true })).toMatchObject({
      id: 'a',
    });
    await expect(em.getBy('mails', 'mial', 'same')).rejects.toThrow(/"mail"/);
  });

  test('exists and count say what raw SQL says', async () => {
    await em.saveMany(
      'counted',
      Array.from({ length: 30 }, (_, n) => ({ id: `c${n}`, n, even: n % 2 === 0 })),
    );
    for (const n of [3, 4]) await em.delete('counted', `c${n}`);
    expect(await em.exists('counted', 'c5')).toBe(true);
    expect(await em.exists('counted', 'c4')).toBe(false);
    expect(await em.exists('counted', 'c4', { includeDeleted: true })).toBe(true);
    expect(await em.exists('counted', 'c99')).toBe(false);
    const table = sql.id((await em.schema('counted'))?.table ?? '');
    const raw = async (where: ReturnType<typeof sql>): Promise<number> =>
      Number(await other.queryValue(sql`SELECT COUNT(*) FROM ${table} WHERE ${where}`));
    const alive = sql`deleted_at IS NULL`;
    expect(await em.count('counted')).toBe(await raw(alive));
    expect(await em.count('counted', { includeDeleted: true })).toBe(30);
    expect(await em.count('counted', { where: { even: true } })).toBe(
      await raw(sql`${alive} AND even = ${true}`),
    );
    expect(await em.count('counted', { where: ['n > ? OR n = ?', [20, 3]] })).toBe(
      await raw(sql`${alive} AND (n > 20 OR n = 3)`),
    );
    expect(await em.count('counted', { where: sql`n > ${20}`, includeDeleted: true })).toBe(9);
    expect(await em.count('no_such_type')).toBe(0);
  });

  test('updateFields changes what is there, and nothing that is not', async () => {
    const { id } = await em.save('parts', { a: 1, b: 2 });
    expect(
      await em.updateFields('parts', id, { b: 3 }, { userId: 'eve', comment: 'why' }),
    ).toMatchObject({ a: 1, b: 3, version: 2, updated_by: 'eve' });
    expect(await em.updateFields('parts', id, { c: 'new' })).toMatchObject({
      a: 1,
      b: 3,
      c: 'new',
    });
    const missing = { name: 'EntityNotFoundError', code: 'DAL_ENTITY_NOT_FOUND' };
    await expect(em.updateFields('parts', 'nobody', { a: 1 })).rejects.toMatchObject(missing);
    await em.delete('parts', id);
    await expect(em.updateFields('parts', id, { a: 9 })).rejects.toMatchObject(missing);
    expect(await em.get('parts', id, { includeDeleted: true })).toMatchObject({ a: 1, version: 4 });
  });

  test('delete hides, restore brings back, permanent takes the history with it', async () => {
    const { id } = await em.save('notes', { text: 'keep me' });
    expect(await em.delete('notes', id, { userId: 'eve', comment: 'asked for' })).toBe(true);
    expect(await em.delete('notes', id)).toBe(false);
    expect(await em.count('notes')).toBe(0);
    expect(await em.find('notes')).toEqual([]);
    expect((await rowOf('notes', id))?.['deleted_at']).not.toBe(null);
    expect(await em.restore('notes', id, { userId: 'ada' })).toBe(true);
    expect(await em.restore('notes', id)).toBe(false);
    expect(await em.get('notes', id)).toMatchObject({
      text: 'keep me',
      version: 3,
      deleted_at: null,
    });
    expect(
      (await em.history('notes', id)).map((one) => [
        one.version_operation,
        one.updated_by,
        one.version_comment,
      ]),
    ).toEqual([
      ['restore', 'ada', null],
      ['delete', 'eve', 'asked for'],
      ['create', null, null],
    ]);
    expect(await em.delete('notes', id, { permanent: true })).toBe(true);
    expect(await em.delete('notes', id, { permanent: true })).toBe(false);
    expect(await rowOf('notes', id)).toBe(undefined);
    expect(await em.history('notes', id)).toEqual([]);
    expect(await em.restore('notes', id)).toBe(false);
    expect(await em.delete('notes', 'nobody')).toBe(false);
  });

  test('a deleted entity stays deleted when it is saved', async () => {
    const { id } = await em.save('asleep', { n: 1 });
    await em.delete('asleep', id);
    expect(await em.save('asleep', { id, n: 2 })).toMatchObject({
      n: 2,
      deleted_at: expect.any(Date),
    });
    expect(await em.get('asleep', id)).toBe(undefined);
  });

  test('n saves are n versions; history and version tell who, when, why and what', async () => {
    const id = 'doc';
    for (let n = 1; n <= 6; n++) {
      await em.save('docs', { id, n, body: { n } }, { userId: `u${n}`, comment: `c${n}` });
    }
    const versions = await em.history<{ n: number }>('docs', id);
    expect(
      versions.map((one) => [
        one.version,
        one.n,
        one.updated_by,
        one.version_comment,
        one.version_operation,
      ]),
    ).toEqual(
      [6, 5, 4, 3, 2, 1].map((n) => [n, n, `u${n}`, `c${n}`, n === 1 ? 'create' : 'update']),
    );
    expect((await em.history('docs', id, { limit: 2 })).map(({ version }) => version)).toEqual([
      6, 5,
    ]);
    const third = await em.version('docs', id, 3);
    expect(third).toEqual(versions[3]);
    expect(third).toMatchObject({ id, n: 3, body: { n: 3 }, created_by: 'u1', updated_by: 'u3' });
    const { version_operation: _, version_comment: __, ...last } = versions[0]!;
    expect(await em.get('docs', id)).toEqual(last);
    expect(await em.version('docs', id, 7)).toBe(undefined);
    expect(await em.version('docs', 'nobody', 1)).toBe(undefined);
    expect(await em.history('docs', 'nobody')).toEqual([]);
    expect(await em.history('no_such_type', 'nobody')).toEqual([]);
  });

  test('rollbackTo makes version n+1 with the fields of the old one', async () => {
    const id = 'page';
    await em.save('pages', { id, title: 'one', list: [1] });
    await em.save('pages', { id, title: 'two', list: null });
    await em.save('pages', { id, later: true });
    const back = await em.rollbackTo('pages', id, 1, { userId: 'ada', comment: 'oops' });
    expect(back).toMatchObject({ title: 'one', list: [1], later: null, version: 4 });
    expect(await em.get('pages', id)).toEqual(back);
    expect((await em.history('pages', id))[0]).toMatchObject({
      version: 4,
      version_operation: 'rollback',
      version_comment: 'oops',
      updated_by: 'ada',
    });
    await em.delete('pages', id);
    expect(await em.rollbackTo('pages', id, 2)).toMatchObject({
      title: 'two',
      version: 6,
      deleted_at: null,
    });
    expect(await em.exists('pages', id)).toBe(true);
    const missing = { name: 'EntityNotFoundError' };
    await expect(em.rollbackTo('pages', id, 77)).rejects.toMatchObject(missing);
    await expect(em.rollbackTo('pages', 'nobody', 1)).rejects.toMatchObject(missing);
    expect(await em.get('pages', id)).toMatchObject({ version: 6 });
  });

  test('expectedVersion: the change is made to that version or not at all', async () => {
    const id = 'guarded';
    const created = await em.save('guards', { id, n: 1 }, { expectedVersion: 0 });
    expect(created.version).toBe(1);
    const conflict = { name: 'VersionConflictError', code: 'DAL_ENTITY_VERSION' };
    await expect(em.save('guards', { id, n: 2 }, { expectedVersion: 0 })).rejects.toMatchObject({
      ...conflict,
      expectedVersion: 0,
      actualVersion: 1,
    });
    await em.save('guards', { id, n: 2 }, { expectedVersion: 1 });
    const stale = { expectedVersion: 1 };
    for (const change of [
      () => em.save('guards', { id, n: 9 }, stale),
      () => em.updateFields('guards', id, { n: 9 }, stale),
      () => em.delete('guards', id, stale),
      () => em.delete('guards', id, { ...stale, permanent: true }),
      () => em.rollbackTo('guards', id, 1, stale),
    ]) {
      await expect(change()).rejects.toMatchObject({ ...conflict, actualVersion: 2 });
    }
    await expect(em.save('guards', { id: 'none', n: 9 }, stale)).rejects.toMatchObject({
      ...conflict,
      actualVersion: null,
    });
    expect(await em.get('guards', id)).toMatchObject({ n: 2, version: 2 });
    expect(await em.exists('guards', 'none')).toBe(false);
    expect(await em.history('guards', id)).toHaveLength(2);
  });

  test('without history the number still counts, and no old version is kept', async () => {
    const id = 'u';
    await em.save('unkept', { id, n: 1 });
    await em.save('unkept', { id, n: 2 });
    expect(await em.get('unkept', id)).toMatchObject({ n: 2, version: 2 });
    expect(await em.version('unkept', id, 1)).toBe(undefined);
  });

  test('types and schema tell what is there', async () => {
    await em.save('shapes', {
      words: 'a',
      count: 1,
      big: 1n,
      yes: true,
      at: new Date(),
      list: [1],
      bytes: Buffer.from('x'),
      nothing: null,
    });
    expect(await em.types()).toEqual((await em.types()).toSorted());
    expect(await em.types()).toContain('shapes');
    const schema = await em.schema('shapes');
    expect(schema?.name).toBe('shapes');
    const kinds = schema?.fields.filter(({ name: field }) => field !== 'nothing');
    expect(kinds).toEqual([
      { name: 'at', kind: 'timestamp' },
      { name: 'big', kind: 'bigint' },
      { name: 'bytes', kind: 'bytes' },
      { name: 'count', kind: 'number' },
      { name: 'list', kind: 'json' },
      { name: 'words', kind: 'text' },
      { name: 'yes', kind: 'boolean' },
    ]);
    const columns = await other.schema.columns(schema?.table ?? '');
    for (const { name: field } of kinds ?? []) {
      expect(columns.map((column) => column.name)).toContain(field);
    }
    expect(await em.schema('no_such_type')).toBe(undefined);
  });

  test('prepare makes tables and columns, and no entity', async () => {
    await em.prepare('ready', { title: '', parts: [], at: new Date() });
    expect(await em.types()).toContain('ready');
    expect((await em.schema('ready'))?.fields).toEqual([
      { name: 'at', kind: 'timestamp' },
      { name: 'parts', kind: 'json' },
      { name: 'title', kind: 'text' },
    ]);
    expect(await em.count('ready', { includeDeleted: true })).toBe(0);
    await em.prepare('ready', { title: '', more: 1 });
    await em.prepare('bare');
    expect(await em.save('bare', {})).toMatchObject({ version: 1 });
  });

  test('toJson and fromJson: the same entity comes back, kinds and all', async () => {
    const saved = await em.save('carried', {
      words: 'ñ "quoted" \u{1f600}',
      big: 9_007_199_254_740_993n,
      at: new Date('2024-02-29T12:34:56.789Z'),
      nested: { a: [null, { b: true }] },
      bytes: Buffer.from([0, 255, 10]),
      none: null,
    });
    const text = em.toJson(saved);
    expect(JSON.parse(text)).toMatchObject({
      big: '9007199254740993',
      at: '2024-02-29T12:34:56.789Z',
      bytes: 'AP8K',
    });
    expect(await em.fromJson('carried', text)).toEqual(saved);
    for (const wrong of ['[1]', 'nonsense', '{"at": "yesterday"}', '{"big": "x"}', '"text"']) {
      await expect(em.fromJson('carried', wrong)).rejects.toMatchObject({
        name: 'EntityTypeError',
      });
    }
    expect(await em.count('carried')).toBe(1);
  });

  test('raw runs a statement with its values; get with raw gives what the driver reads', async () => {
    expect(await em.raw('SELECT ? AS word', ['a'])).toEqual([{ word: 'a' }]);
    expect(await em.raw(sql`SELECT ${'b'} AS word`)).toEqual([{ word: 'b' }]);
    const { id } = await em.save('rawly', { list: [1, 2], text: 'x' });
    expect(await em.get('rawly', id, { raw: true })).toMatchObject({ id, text: 'x' });
  });

  test('a value that does not fit its field is refused by name, and nothing is sent', async () => {
    const { id } = await em.save('strict', {
      words: 'a',
      n: 1,
      big: 1n,
      yes: true,
      at: new Date(1),
    });
    const refused = { name: 'EntityTypeError', code: 'DAL_ENTITY_TYPE' };
    for (const [field, value] of [
      ['words', 5],
      ['words', true],
      ['n', '5'],
      ['n', Number.NaN],
      ['n', Number.POSITIVE_INFINITY],
      ['n', 2n ** 60n],
      ['big', 1.5],
      ['big', 2n ** 63n],
      ['yes', 1],
      ['at', '2024-01-01'],
      ['at', new Date(Number.NaN)],
      ['n', () => 1],
      ['n', Symbol('x')],
    ] as const) {
      const call = em.save('strict', { id, [field]: value });
      await expect(call, `${field} ${typeof value}`).rejects.toMatchObject({
        name: 'EntityTypeError',
        code: 'DAL_ENTITY_TYPE',
        message: expect.stringContaining(field),
      });
    }
    expect(await em.get('strict', id)).toMatchObject({ version: 1 });
    // Nor is a type or a field made for what can't be kept.
    await expect(em.save('never_made', { text: 'nul \0' })).rejects.toMatchObject(refused);
    await expect(em.save('strict', { id, fresh: Number.NaN })).rejects.toMatchObject(refused);
    await expect(em.save('strict', { id, fresh: 1, words: 5 })).rejects.toMatchObject(refused);
    expect(await em.types()).not.toContain('never_made');
    expect((await em.schema('strict'))?.fields).toHaveLength(5);
  });
});
