import { isDalError, sql } from '@dal/core';
import { createEntityManager, type EntityManager, type EntityVerbs } from '@dal/entity';
import { createDatabase, type Database } from '@dal/factory';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { asAwaited } from './as-awaited.ts';
import { hostileTexts, worstTexts } from './hostile-texts.ts';
import { type OwnDatabase, ownDatabase } from './own-database.ts';

enableSync();

type Verbs = EntityVerbs<'awaited'>;

/** Every place of the interface that takes a text, a key or a number; `id` is there. */
const entries: Readonly<Record<string, (em: Verbs, text: never) => unknown>> = {
  // Names of types.
  'save: type': (em, text) => em.save(text, { n: 1 }),
  'saveMany: type': (em, text) => em.saveMany(text, [{ n: 1 }]),
  'get: type': (em, text) => em.get(text, 'id'),
  'getBy: type': (em, text) => em.getBy(text, 'id', 'x'),
  'find: type': (em, text) => em.find(text),
  'count: type': (em, text) => em.count(text),
  'exists: type': (em, text) => em.exists(text, 'id'),
  'updateFields: type': (em, text) => em.updateFields(text, 'id', {}),
  'delete: type': (em, text) => em.delete(text, 'id'),
  'restore: type': (em, text) => em.restore(text, 'id'),
  'history: type': (em, text) => em.history(text, 'id'),
  'version: type': (em, text) => em.version(text, 'id', 1),
  'rollbackTo: type': (em, text) => em.rollbackTo(text, 'id', 1),
  'schema: type': (em, text) => em.schema(text),
  'prepare: type': (em, text) => em.prepare(text, { n: 1 }),
  'fromJson: type': (em, text) => em.fromJson(text, '{"n":1}'),
  'from: type': (em, text) => em.from(text).all(),
  'collection: type': (em, text) => em.collection(text, anything).find(),
  // Names of fields.
  'save: field': (em, text) => em.save('target', own(text, 1)),
  'saveMany: field': (em, text) => em.saveMany('target', [own(text, 1), {}]),
  'updateFields: field': (em, text) => em.updateFields('target', 'id', own(text, 1)),
  'prepare: field': (em, text) => em.prepare('target', own(text, 1)),
  'getBy: field': (em, text) => em.getBy('target', text, 1),
  'find: where': (em, text) => em.find('target', { where: own(text, 1) }),
  'count: where': (em, text) => em.count('target', { where: own(text, 1) }),
  'find: where of null': (em, text) => em.find('target', { where: own(text, null) }),
  'find: where of a list': (em, text) => em.find('target', { where: own(text, [1, 2]) }),
  'find: orderBy': (em, text) => em.find('target', { orderBy: text }),
  'find: orderBy in a list': (em, text) => em.find('target', { orderBy: [[text, 'desc']] }),
  'from: where': (em, text) => em.from('target').where(text, 1).all(),
  'from: orderBy': (em, text) => em.from('target').orderBy(text, 'desc').first(),
  'fromJson: field': (em, text) => em.fromJson('target', JSON.stringify(own(text, 1))),
  'toJson: field': (em, text) => em.toJson(own(text, 1)),
  'collection: index': (em, text) =>
    em.collection('target', anything, { indexes: [text, [text, 'n']] }).save({}),
  // Operators, directions, numbers.
  'find: operator': (em, text) => em.find('target', { where: { n: own(text, 1) } }),
  'from: operator': (em, text) => em.from('target').where('n', text, 1).all(),
  'find: direction': (em, text) => em.find('target', { orderBy: [['n', text]] }),
  'from: direction': (em, text) => em.from('target').orderBy('n', text).all(),
  'find: limit': (em, text) => em.find('target', { limit: text }),
  'find: offset': (em, text) => em.find('target', { limit: 1, offset: text }),
  'from: limit': (em, text) => em.from('target').limit(text).all(),
  'from: offset': (em, text) => em.from('target').limit(1).offset(text).all(),
  'history: limit': (em, text) => em.history('target', 'id', { limit: text }),
  'version: number': (em, text) => em.version('target', 'id', text),
  'rollbackTo: number': (em, text) => em.rollbackTo('target', 'id', text),
  'save: expectedVersion': (em, text) => em.save('target', { n: 1 }, { expectedVersion: text }),
  // Ids and values.
  'save: id': (em, text) => em.save('target', { id: text, n: 1 }),
  'saveMany: id': (em, text) => em.saveMany('target', [{ id: text }, { n: 1 }]),
  'get: id': (em, text) => em.get('target', text),
  'exists: id': (em, text) => em.exists('target', text),
  'updateFields: id': (em, text) => em.updateFields('target', text, { n: 1 }),
  'delete: id': (em, text) => em.delete('target', text, { permanent: true }),
  'restore: id': (em, text) => em.restore('target', text),
  'history: id': (em, text) => em.history('target', text),
  'version: id': (em, text) => em.version('target', text, 1),
  'rollbackTo: id': (em, text) => em.rollbackTo('target', text, 1),
  'save: value': (em, text) => em.save('target', { text }),
  'getBy: value': (em, text) => em.getBy('target', 'text', text),
  'find: value': (em, text) => em.find('target', { where: { text: [text, { deep: text }] } }),
  'find: pattern': (em, text) => em.find('target', { where: { text: { like: text } } }),
  'find: fragment value': (em, text) => em.find('target', { where: ['text = ?', [text]] }),
  'find: value of another kind': (em, text) => em.find('target', { where: { n: text } }),
  'save: key in JSON': (em, text) => em.save('target', { doc: own(text, own(text, text)) }),
  'save: userId': (em, text) => em.save('target', { n: 1 }, { userId: text }),
  'save: comment': (em, text) => em.save('target', { n: 1 }, { comment: text }),
  'raw: value': (em, text) => em.raw('SELECT COUNT(*) AS n FROM canary WHERE song = ?', [text]),
  'raw: tag': (em, text) => em.raw('SELECT 1 AS one', [], { tags: own(text, text) }),
  'fromJson: text': (em, text) => em.fromJson('target', text),
  // Options.
  'save: option': (em, text) => em.save('target', { n: 1 }, own(text, 1)),
  'find: option': (em, text) => em.find('target', own(text, 1)),
};

const anything = {
  '~standard': { version: 1, vendor: 'none', validate: (value: unknown) => ({ value }) },
} as const;

/** An object with this very key, `__proto__` too. */
function own(key: string, value: unknown): Record<string, never> {
  const object: Record<string, never> = {};
  return Object.defineProperty(object, key, { value, enumerable: true, configurable: true });
}

/** What a call ends in: nothing, or an error in which somebody explains it. */
async function endOf(call: () => unknown): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (!isDalError(error)) return `not ours: ${String(error)}`;
    // A pattern, or a value in the caller's own SQL, may be one that the server refuses as a value.
    // Any other fault means that the text got into the statement.
    if (error.fault && error.kind !== 'data') return `from the server: ${error.message}`;
    return error.message.length > 10 ? undefined : `says nothing: ${error.message}`;
  }
}

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let own_: OwnDatabase;
  let db: Database;
  let other: Database;
  let em: EntityManager;

  beforeAll(async () => {
    own_ = await ownDatabase({ name, url }, 'injection');
    db = await createDatabase(own_.url, { pool: { max: 2 } });
    other = await createDatabase(own_.url, { pool: { max: 1 } });
    em = createEntityManager(db);
    await other.execute('CREATE TABLE canary (song VARCHAR(20))');
    await other.execute("INSERT INTO canary VALUES ('tweet')");
    await em.save('target', { id: 'id', n: 1, text: 'a', doc: {} });
  });
  afterAll(async () => {
    await other.close();
    await db.close();
    await own_[Symbol.asyncDispose]();
  });

  const nothingHappened = async (): Promise<void> => {
    expect(await other.query('SELECT song FROM canary')).toEqual([{ song: 'tweet' }]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
    expect(await em.exists('target', 'id')).toBe(true);
  };

  test(
    'every entry takes hostile text as data, or refuses it in words of its own',
    { timeout: 120_000 },
    async () => {
      const bad: string[] = [];
      for (const [entry, call] of Object.entries(entries)) {
        // All of them where names and values are kept; the other entries meet the worst of them.
        for (const text of /^save: (type|field|id|value)$/.test(entry)
          ? hostileTexts
          : worstTexts) {
          const end = await endOf(() => call(em, text as never));
          if (end)
            bad.push(`${entry} with ${JSON.stringify(text.slice(0, 40))}: ${end.slice(0, 200)}`);
        }
        await nothingHappened();
      }
      expect(bad).toEqual([]);
    },
  );

  test('so does the blocking side', { timeout: 60_000 }, async () => {
    const sync = asAwaited(em.sync);
    const bad: string[] = [];
    for (const [entry, call] of Object.entries(entries)) {
      for (const text of worstTexts.slice(0, 5)) {
        const end = await endOf(() => call(sync, text as never));
        if (end)
          bad.push(`${entry} with ${JSON.stringify(text.slice(0, 40))}: ${end.slice(0, 200)}`);
      }
    }
    await nothingHappened();
    expect(bad).toEqual([]);
  });

  test('values, ids, users and comments come back letter for letter, or were refused', async () => {
    const kept: string[] = [];
    for (const text of hostileTexts) {
      await em.save('letters', { id: 'one', text, doc: { [`k${text}`]: [text] } }).then(
        async () => {
          const got = await em.get('letters', 'one');
          expect(got).toMatchObject({ text, doc: { [`k${text}`]: [text] } });
          expect(await em.getBy('letters', 'text', text)).toMatchObject({ id: 'one' });
          expect(await em.count('letters', { where: { text: [text] } })).toBe(1);
          kept.push(text);
        },
        () => expect(text).toMatch(/\0|\ud83d/),
      );
      const byId = await em.save('by_id', { id: text, n: 1 }, { userId: text, comment: text }).then(
        () => em.history('by_id', text),
        () => undefined,
      );
      if (byId)
        expect(byId[0]).toMatchObject({ id: text, updated_by: text, version_comment: text });
    }
    expect(kept.length).toBeGreaterThanOrEqual(hostileTexts.length - 2);
    // Ids that a server may take for equal are different entities all the same.
    const alike = ['a', 'A', 'á', 'a\u0301', 'a\u200b', 'ａ', 'ss', 'ß', '0', '00', '0.0', ' a'];
    await em.saveMany(
      'alike',
      alike.map((id) => ({ id, name: id })),
    );
    expect(await em.count('alike')).toBe(alike.length);
    for (const id of alike) {
      expect(await em.get('alike', id)).toMatchObject({ id, name: id, version: 1 });
      expect((await em.find('alike', { where: { name: id } })).map((one) => one.id)).toEqual([id]);
    }
    await expect(em.get('alike', 'a ')).resolves.toBe(undefined);
  });

  test('names of types and fields are kept apart, or refused', async () => {
    for (const text of hostileTexts) {
      const saved = await em.save(text, { id: 'x', name: text }).catch(() => undefined);
      if (saved) {
        expect(await em.types()).toContain(text);
        expect(await em.get(text, 'x'), text).toMatchObject({ name: text });
        expect((await em.schema(text))?.name).toBe(text);
      }
      const withField = await em.save('any_field', own(text, 'v')).catch(() => undefined);
      if (withField) {
        const got = await em.get('any_field', withField.id);
        expect(Object.getOwnPropertyDescriptor(got, text)?.value, text).toBe('v');
        expect(await em.count('any_field', { where: own(text, 'v') })).toBe(1);
        const fields = (await em.schema('any_field'))?.fields.map((field) => field.name);
        expect(fields).toContain(text);
      }
    }
    for (const [one, two] of [
      ['Pair', 'pair'],
      ['pair one', 'pair_one'],
      ['päir', 'pair2'],
      [`${'l'.repeat(70)}1`, `${'l'.repeat(70)}2`],
    ] as const) {
      const first = await em.save(one, { id: 'x', from: one }).catch(() => undefined);
      const second = await em.save(two, { id: 'x', from: two }).catch(() => undefined);
      if (first) expect(await em.get(one, 'x')).toMatchObject({ from: one, version: 1 });
      if (second) expect(await em.get(two, 'x')).toMatchObject({ from: two, version: 1 });
      const { id } = await em.save('pairs', {});
      const a = await em.save('pairs', { id, [one]: 'one' }).catch(() => undefined);
      const b = await em.save('pairs', { id, [two]: 'two' }).catch(() => undefined);
      const got = await em.get('pairs', id);
      if (a) expect(got?.[one]).toBe('one');
      if (b) expect(got?.[two]).toBe('two');
    }
    await nothingHappened();
  });

  test("a table that is somebody else's is not taken, and system names mean what they mean", async () => {
    await expect(em.save('canary', { song: 'quack' })).rejects.toMatchObject({
      name: 'EntitySchemaError',
      code: 'DAL_ENTITY_TABLE_TAKEN',
    });
    const saved = await em.save('target', {
      version: 99,
      created_at: 'never',
      deleted_at: new Date(),
      updated_by: "'; --",
      n: 5,
    });
    expect(saved).toMatchObject({ version: 1, deleted_at: null, updated_by: null, n: 5 });
    expect(await other.schema.columns('canary')).toHaveLength(1);
    await nothingHappened();
  });

  test('a key of JSON or of an entity never reaches a prototype', async () => {
    const nasty = '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}';
    const parsed = JSON.parse(nasty) as Record<string, unknown>;
    const id = 'nasty';
    await em.save('target', { id, doc: parsed });
    const got = (await em.get<{ doc: object }>('target', id))!;
    expect(JSON.stringify(Object.getOwnPropertyDescriptor(got.doc, '__proto__')?.value)).toBe(
      '{"polluted":1}',
    );
    for (const call of [
      () => em.save('target', { id, ...parsed }),
      () => em.updateFields('target', id, parsed),
      () => em.fromJson('target', nasty),
      () => em.save('target', { id }, parsed),
      () => em.find('target', { where: parsed }),
      () => em.toJson(parsed),
    ]) {
      expect(await endOf(call)).toBe(undefined);
    }
    await nothingHappened();
  });

  test('SQL of the caller stays apart from conditions of the manager', async () => {
    // An OR in the fragment must not find what is deleted, nor more than the limit.
    await em.saveMany('fragments', [
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
      { id: 'c', n: 3 },
    ]);
    await em.delete('fragments', 'c');
    const found = await em.find('fragments', { where: sql`n = ${1} OR 1 = ${1}`, limit: 5 });
    expect(found.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(await em.find('fragments', { where: ['n > ? -- comment', [0]], limit: 1 })).toHaveLength(
      1,
    );
  });
});
