import { type Collection, createEntityManager, type Entity, type EntityManager } from '@dal/entity';
import { createDatabase, type Database } from '@dal/factory';
import { enableSync } from '@dal/sync';
import { type } from 'arktype';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, expectTypeOf, inject, test } from 'vitest';
import { z } from 'zod';
import { type OwnDatabase, ownDatabase } from './own-database.ts';

enableSync();

interface User {
  name: string;
  email: string;
  age: number;
  tags: string[];
}

const zodUser = z.object({
  name: z.string().min(1),
  email: z.email(),
  age: z.int().min(0),
  tags: z.array(z.string()).default([]),
});
const valibotUser = v.object({
  name: v.pipe(v.string(), v.minLength(1)),
  email: v.pipe(v.string(), v.email()),
  age: v.pipe(v.number(), v.integer(), v.minValue(0)),
  tags: v.optional(v.array(v.string()), []),
});
const arktypeUser = type({
  name: 'string > 0',
  email: 'string.email',
  age: 'number.integer >= 0',
  tags: type('string[]').default(() => []),
});

describe('types', () => {
  const em = {} as EntityManager;
  const collections = (): readonly unknown[] => [
    em.collection('users', zodUser),
    em.collection('users', valibotUser),
    em.collection('users', arktypeUser),
  ];

  test('what goes in and what comes out is known of each validator', () => {
    expectTypeOf(collections).toBeFunction();
    const zod = (): Collection<'awaited', typeof zodUser> => em.collection('users', zodUser);
    type Zod = ReturnType<typeof zod>;
    type Valibot = Collection<'awaited', typeof valibotUser>;
    type Arktype = Collection<'awaited', typeof arktypeUser>;
    type Blocking = Collection<'blocking', typeof zodUser>;

    // The default makes `tags` optional on the way in, and there on the way out.
    type Input = { name: string; email: string; age: number; tags?: string[] | undefined };
    expectTypeOf<Zod['save']>().parameter(0).toExtend<Input & { id?: string }>();
    expectTypeOf<Input>().toExtend<Parameters<Zod['save']>[0]>();
    expectTypeOf<Input>().toExtend<Parameters<Valibot['save']>[0]>();
    expectTypeOf<Omit<Input, 'tags'>>().toExtend<Parameters<Arktype['save']>[0]>();
    expectTypeOf<{ name: string }>().not.toExtend<Parameters<Zod['save']>[0]>();
    expectTypeOf<{ name: string }>().not.toExtend<Parameters<Valibot['save']>[0]>();
    expectTypeOf<{ name: string }>().not.toExtend<Parameters<Arktype['save']>[0]>();

    expectTypeOf<Awaited<ReturnType<Zod['get']>>>().toEqualTypeOf<Entity<User> | undefined>();
    expectTypeOf<Awaited<ReturnType<Valibot['get']>>>().toEqualTypeOf<Entity<User> | undefined>();
    expectTypeOf<Awaited<ReturnType<Arktype['get']>>>().toEqualTypeOf<Entity<User> | undefined>();
    expectTypeOf<Awaited<ReturnType<Zod['find']>>[number]['tags']>().toEqualTypeOf<string[]>();
    expectTypeOf<Awaited<ReturnType<Zod['history']>>[number]['version_comment']>().toEqualTypeOf<
      string | null
    >();
    expectTypeOf<ReturnType<Blocking['get']>>().toEqualTypeOf<Entity<User> | undefined>();
    expectTypeOf<ReturnType<Blocking['count']>>().toEqualTypeOf<number>();

    expectTypeOf<Zod['getBy']>().parameter(0).toEqualTypeOf<'name' | 'email' | 'age' | 'tags'>();
    // Undefined is as good as not given, so what a validator's partial() gives can be handed on.
    type Change = { [Field in keyof User]?: User[Field] | undefined };
    expectTypeOf<Change>().toExtend<Parameters<Zod['updateFields']>[1]>();
  });

  test('wrong calls do not compile', () => {
    const wrong = async (users: Collection<'awaited', typeof zodUser>): Promise<void> => {
      // @ts-expect-error a number where text is
      await users.save({ name: 5, email: 'a@b.c', age: 1 });
      // @ts-expect-error a field is missing
      await users.save({ name: 'Ada', age: 1 });
      // @ts-expect-error no such field
      await users.getBy('mail', 'a@b.c');
      // @ts-expect-error no such field
      await users.updateFields('id', { mail: 'a@b.c' });
      // @ts-expect-error no such field of what comes back
      void (await users.get('id'))?.mail;
      // @ts-expect-error may be undefined
      void (await users.get('id')).name;
    };
    expect(wrong).toBeTypeOf('function');
  });
});

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let own: OwnDatabase;
  let db: Database;
  let em: EntityManager;

  beforeAll(async () => {
    own = await ownDatabase({ name, url }, 'collections');
    db = await createDatabase(own.url, { pool: { max: 2 } });
    em = createEntityManager(db);
  });
  afterAll(async () => {
    await db.close();
    await own[Symbol.asyncDispose]();
  });

  const options = { indexes: ['email'] } as const;
  const collections: Readonly<
    Record<string, (manager: EntityManager) => Collection<'awaited', typeof zodUser>>
  > = {
    zod: (manager) => manager.collection('zod', zodUser, options),
    valibot: (manager) => manager.collection('valibot', valibotUser, options),
    arktype: (manager) => manager.collection('arktype', arktypeUser, options),
  };

  describe.each(Object.keys(collections))('%s', (validator) => {
    let users: Collection<'awaited', typeof zodUser>;
    beforeAll(() => {
      users = collections[validator]!(em);
    });
    const good = { name: 'Ada', email: 'ada@example.org', age: 36 };
    const invalid = { name: 'EntityValidationError', code: 'DAL_ENTITY_INVALID' };

    test('what the validator makes of it is what is stored', async () => {
      const saved = await users.save(good, { userId: 'eve' });
      expect(saved).toMatchObject({ ...good, tags: [], version: 1, updated_by: 'eve' });
      expect(await users.get(saved.id)).toEqual(saved);
      expect(await users.getBy('email', good.email)).toEqual(saved);
      expect((await em.schema(validator))?.indexes).toContainEqual(['email']);
      expect(await users.from().where('age', '>', 30).first()).toEqual(saved);
      expect(await users.count({ where: { name: 'Ada' } })).toBe(1);
    });

    test('what it refuses is not stored, and the error has its words and not the value', async () => {
      const before = await users.count();
      const wrong = { ...good, email: 'no-mail-secret', age: -1 };
      const error = await users.save(wrong).then(
        () => undefined,
        (reason: unknown) => reason as Error & { issues: { path?: unknown[] }[] },
      );
      expect(error).toMatchObject(invalid);
      expect(error?.issues.length).toBeGreaterThanOrEqual(1);
      expect(error?.message).toMatch(/email/);
      await expect(users.saveMany([good, wrong, good])).rejects.toMatchObject(invalid);
      expect(await users.count()).toBe(before);
    });

    test('updateFields is checked as the whole entity would be then', async () => {
      const { id } = await users.save({ ...good, email: 'two@example.org' });
      expect(await users.updateFields(id, { age: 40 })).toMatchObject({ age: 40, version: 2 });
      await expect(users.updateFields(id, { age: -5 })).rejects.toMatchObject(invalid);
      await expect(users.updateFields(id, { email: 'nothing' })).rejects.toMatchObject(invalid);
      expect(await users.get(id)).toMatchObject({ age: 40, email: 'two@example.org', version: 2 });
      expect(await users.delete(id)).toBe(true);
      expect(await users.restore(id)).toBe(true);
      expect(await users.rollbackTo(id, 1)).toMatchObject({ age: 36, version: 5 });
      expect((await users.history(id, { limit: 1 }))[0]).toMatchObject({
        version_operation: 'rollback',
      });
      expect(await users.version(id, 2)).toMatchObject({ age: 40 });
      expect(await users.exists(id)).toBe(true);
    });
  });

  test('an asynchronous validator is waited for, and the blocking side says that it cannot', async () => {
    const slow = zodUser.refine(async ({ name: given }) => given !== 'taken');
    const users = em.collection('slow', slow);
    const user = { name: 'Ada', email: 'a@b.co', age: 1 };
    expect(await users.save(user)).toMatchObject({ name: 'Ada', version: 1 });
    await expect(users.save({ ...user, name: 'taken' })).rejects.toMatchObject({
      name: 'EntityValidationError',
    });
    expect(() => em.sync.collection('slow', slow).save(user)).toThrow(/promise|async/i);
    expect(await users.count()).toBe(1);
  });

  test('blocking', () => {
    const users = em.sync.collection('zod', zodUser, options);
    const saved = users.save({ name: 'Sync', email: 'sync@example.org', age: 1 });
    expect(users.get(saved.id)).toEqual(saved);
    expect(() => users.save({ name: '', email: 'sync@example.org', age: 1 })).toThrow(/name/);
  });
});
