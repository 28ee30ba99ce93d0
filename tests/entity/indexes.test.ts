import { createEntityManager, type EntityManager, type EntityVerbs } from '@dal/entity';
import { createDatabase, type Database } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type OwnDatabase, ownDatabase } from './own-database.ts';
import { type Asked, planOf, recording } from './plans.ts';

const PEOPLE = 5_000;

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let own: OwnDatabase;
  let db: Database;
  let em: EntityManager;

  beforeAll(async () => {
    own = await ownDatabase({ name, url }, 'indexes');
    db = await createDatabase(own.url, { pool: { max: 3 } });
    em = createEntityManager(db, {
      types: { people: { indexes: ['email', 'age', ['city', 'name']] } },
    });
    const people = Array.from({ length: PEOPLE }, (_, n) => ({
      id: `p${n}`,
      email: `${n}@example.org`,
      city: `city ${n % 50}`,
      name: `name ${n % 700}`,
      age: n % 1000,
      plain: `plain ${n}`,
    }));
    await em.saveMany('people', people);
    // So the history is no small table either.
    await em.saveMany('people', people);
    for (let n = 0; n < 20; n++) await em.save('people', { id: 'p7', plain: `changed ${n}` });
    const schema = await em.schema('people');
    for (const table of [schema?.table, schema?.historyTable]) await db.analyzeTable(table ?? '');
  });
  afterAll(async () => {
    await db.close();
    await own[Symbol.asyncDispose]();
  });

  /** The plans of what a call asks of the database. */
  const plansOf = async (call: (verbs: EntityVerbs<'awaited'>) => Promise<unknown>) => {
    const asked: Asked[] = [];
    await db.connection(async (connection) => {
      // What is learned once about a type is not asked again.
      await call(em.on(connection));
      await call(em.on(recording(connection, asked)));
    });
    expect(asked.length).toBeGreaterThan(0);
    return Promise.all(asked.map((one) => planOf(name, db, one)));
  };

  test('the declared indexes are there', async () => {
    expect((await em.schema('people'))?.indexes).toEqual(
      expect.arrayContaining([['email'], ['age'], ['city', 'name']]),
    );
  });

  test.each<[string, (verbs: EntityVerbs<'awaited'>) => Promise<unknown>]>([
    ['get', (verbs) => verbs.get('people', 'p17')],
    ['exists', (verbs) => verbs.exists('people', 'p17')],
    ['getBy on an indexed field', (verbs) => verbs.getBy('people', 'email', '17@example.org')],
    ['history', (verbs) => verbs.history('people', 'p7')],
    ['history with a limit', (verbs) => verbs.history('people', 'p7', { limit: 3 })],
    ['version', (verbs) => verbs.version('people', 'p7', 4)],
    [
      'find by all fields of an index',
      (verbs) => verbs.find('people', { where: { city: 'city 7', name: 'name 7' } }),
    ],
    ['find by the first field', (verbs) => verbs.find('people', { where: { city: 'city 7' } })],
    [
      'find by a list',
      (verbs) => verbs.find('people', { where: { email: ['1@example.org', 'x'] } }),
    ],
    ['find by a range', (verbs) => verbs.find('people', { where: { age: { '>=': 5, '<': 7 } } })],
    ['count by an index', (verbs) => verbs.count('people', { where: { email: 'x' } })],
    ['the fluent form', (verbs) => verbs.from('people').where('email', 'x').limit(1).all()],
  ])('%s uses an index, and reads no table from end to end', async (_, call) => {
    for (const { usesIndexOnly, words } of await plansOf(call)) {
      expect(usesIndexOnly, words).toBe(true);
    }
  });

  test('without an index the plan says so, so this file can see it', async () => {
    const plans = await plansOf((verbs) => verbs.find('people', { where: { plain: 'plain 4' } }));
    expect(plans.every(({ usesIndexOnly }) => usesIndexOnly)).toBe(false);
  });
});
