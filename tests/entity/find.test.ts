import { sql } from '@dal/core';
import { createEntityManager, type Direction, type EntityVerbs, type Operator } from '@dal/entity';
import { createDatabase, type Database } from '@dal/factory';
import { enableSync } from '@dal/sync';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SeededRandom } from '../setup/seeded-random.ts';
import { asAwaited } from './as-awaited.ts';
import { type OwnDatabase, ownDatabase } from './own-database.ts';

enableSync();

interface Person {
  readonly id: string;
  readonly name: string;
  readonly age: number | null;
  readonly city: string | null;
  readonly born: Date | null;
  readonly active: boolean;
}

const cities = ['Oslo', 'Lima', 'Łódź', null];
const people = Array.from({ length: 120 }, (_, n): Person => {
  const random = new SeededRandom(n + 1);
  return {
    id: `p${String(n).padStart(3, '0')}`,
    name: `${random.pick(['ada', 'bob', 'eve'])} ${n}`,
    age: random.between(0, 9) === 0 ? null : random.between(18, 60),
    city: random.pick(cities),
    born: random.between(0, 4) === 0 ? null : new Date(random.between(0, 1e9) * 1000),
    active: random.between(0, 1) === 1,
  };
});
/** These are deleted. */
const gone = new Set(['p003', 'p050', 'p051']);
const alive = people.filter(({ id }) => !gone.has(id));

const worlds = ['awaited', 'blocking'] as const;
const cases = inject('engines').flatMap((engine) => worlds.map((world) => ({ ...engine, world })));

describe.each(cases)('$name, $world', ({ name, url, world }) => {
  let own: OwnDatabase;
  let db: Database;
  let em: EntityVerbs<'awaited'>;

  beforeAll(async () => {
    own = await ownDatabase({ name, url }, `find_${world}`);
    db = await createDatabase(own.url, { pool: { max: 2 } });
    const manager = createEntityManager(db);
    em = world === 'awaited' ? manager : asAwaited(manager.sync);
    await em.saveMany('people', people);
    for (const id of gone) await em.delete('people', id);
  });
  afterAll(async () => {
    await db.close();
    await own[Symbol.asyncDispose]();
  });

  const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);

  test('without options: all that are not deleted, by id', async () => {
    expect(idsOf(await em.find('people'))).toEqual(idsOf(alive));
    expect(idsOf(await em.find('people', { includeDeleted: true }))).toEqual(idsOf(people));
    expect(await em.find<Person>('people', { limit: 1 })).toMatchObject([people[0]!]);
    expect(await em.find('no_such_type')).toEqual([]);
  });

  const moment = people.find(({ born }) => born)?.born;
  test.each<[string, Record<string, unknown>, (person: Person) => boolean]>([
    ['equal', { city: 'Łódź' }, ({ city }) => city === 'Łódź'],
    ['both', { city: 'Oslo', active: true }, ({ city, active }) => city === 'Oslo' && active],
    ['null', { city: null }, ({ city }) => city === null],
    ['a list', { city: ['Oslo', 'Lima'] }, ({ city }) => city === 'Oslo' || city === 'Lima'],
    ['an empty list', { city: [] }, () => false],
    ['=', { age: { '=': 30 } }, ({ age }) => age === 30],
    ['!= also finds null', { age: { '!=': 30 } }, ({ age }) => age !== 30],
    ['<> null', { age: { '<>': null } }, ({ age }) => age !== null],
    ['a range', { age: { '>=': 30, '<': 40 } }, ({ age }) => age !== null && age >= 30 && age < 40],
    [
      '> and <=',
      { age: { '>': 30, '<=': 40 } },
      ({ age }) => age !== null && age > 30 && age <= 40,
    ],
    ['in', { age: { in: [20, 21, 22] } }, ({ age }) => age !== null && age >= 20 && age <= 22],
    ['in nothing', { age: { in: [] } }, () => false],
    ['not in also finds null', { city: { 'not in': ['Oslo'] } }, ({ city }) => city !== 'Oslo'],
    ['not in nothing', { city: { 'not in': [] } }, () => true],
    ['like', { name: { like: 'ada %' } }, (person) => person.name.startsWith('ada ')],
    ['not like', { name: { 'not like': 'ada %' } }, (person) => !person.name.startsWith('ada ')],
    ['is', { city: { is: null } }, ({ city }) => city === null],
    ['is not', { city: { 'is not': null } }, ({ city }) => city !== null],
    ['a date', { born: moment }, ({ born }) => born?.getTime() === moment?.getTime()],
    [
      'since a date',
      { born: { '>': new Date(5e11) } },
      ({ born }) => born !== null && born.getTime() > 5e11,
    ],
    ['false', { active: false }, ({ active }) => !active],
    ['a system field', { version: 1, id: { '<': 'p010' } }, ({ id }) => id < 'p010'],
  ])('where: %s', async (_, where, matches) => {
    expect(idsOf(await em.find('people', { where }))).toEqual(idsOf(alive.filter(matches)));
    expect(await em.count('people', { where })).toBe(alive.filter(matches).length);
  });

  test('where in SQL has its values apart, and never finds the deleted by an OR', async () => {
    const matches = ({ age, city }: Person): boolean => city === 'Oslo' || (age ?? 0) > 50;
    for (const where of [
      ['city = ? OR age > ?', ['Oslo', 50]],
      sql`city = ${'Oslo'} OR age > ${50}`,
    ] as const) {
      const found = await em.find('people', { where, orderBy: 'id' });
      expect(idsOf(found)).toEqual(idsOf(alive.filter(matches)));
    }
  });

  test('order, limit and offset; null first going up, last going down', async () => {
    const up = alive.toSorted((a, b) => (a.age ?? -1) - (b.age ?? -1) || (a.id < b.id ? 1 : -1));
    const orderBy = ['age', ['id', 'desc']] as const;
    expect(idsOf(await em.find('people', { orderBy }))).toEqual(idsOf(up));
    const page = await em.find('people', { orderBy, limit: 10, offset: 15 });
    expect(idsOf(page)).toEqual(idsOf(up.slice(15, 25)));
    expect(idsOf(await em.find('people', { orderBy: 'id', offset: 100 }))).toEqual(
      idsOf(alive.slice(100)),
    );
    const down = await em.find<Person>('people', { orderBy: [['age', 'DESC'], 'id'] });
    expect(down.at(-1)?.age).toBe(null);
    expect(down[0]?.age).toBe(Math.max(...alive.map(({ age }) => age ?? 0)));
    expect(await em.find('people', { limit: 0 })).toEqual([]);
    expect(await em.find('people', { offset: 1000 })).toEqual([]);
  });

  test('the fluent form says the same, piece by piece', async () => {
    const active = em.from<Person>('people').where('active', true);
    const older = active.where('age', '>', 21);
    const matches = ({ active: is, age }: Person): boolean => is && age !== null && age > 21;
    expect(idsOf(await older.orderBy('id', 'desc').limit(10).offset(2).all())).toEqual(
      idsOf(alive.filter(matches).toReversed().slice(2, 12)),
    );
    // Each piece is a new question: the first one does not know of the second.
    expect(await active.count()).toBe(alive.filter((person) => person.active).length);
    expect(await older.limit(3).offset(1).count()).toBe(alive.filter(matches).length);
    expect(await older.orderBy('id').first()).toMatchObject({ id: alive.find(matches)?.id });
    expect(await em.from('people').where('name', 'nobody').first()).toBe(undefined);
    expect(await em.from('people').where('city', null).count()).toBe(
      alive.filter(({ city }) => city === null).length,
    );
    expect(await em.from('people').where('city', 'in', ['Oslo']).count()).toBe(
      alive.filter(({ city }) => city === 'Oslo').length,
    );
    expect(await em.from('people').includeDeleted().count()).toBe(people.length);
    expect(await em.from('people').where('id', 'p003').first()).toBe(undefined);
  });

  test('what is no operator, direction, limit or field is refused before anything is sent', async () => {
    const refused = async (call: () => Promise<unknown>, words: RegExp): Promise<void> => {
      // A piece of the fluent form may refuse at once.
      const error: unknown = await (async () => call())().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).toMatch(words);
    };
    const bad = '; DROP TABLE people' as Operator;
    const up = 'up' as Direction;
    await refused(() => em.from('people').where('age', bad, 1).all(), /operator/i);
    await refused(() => em.find('people', { where: { age: { [bad]: 1 } } }), /operator/i);
    await refused(() => em.find('people', { where: { agee: 1 } }), /"age"/);
    await refused(() => em.from('people').where('nmae', 'x').all(), /"name"/);
    await refused(() => em.find('people', { orderBy: 'nmae' }), /"name"/);
    await refused(() => em.from('people').orderBy('name', up).all(), /asc/);
    await refused(() => em.find('people', { orderBy: [['name', up]] }), /asc/);
    for (const wrong of [-1, 1.5, Number.NaN, '1; DROP TABLE people' as never]) {
      await refused(() => em.find('people', { limit: wrong }), /limit/i);
      await refused(() => em.find('people', { offset: wrong }), /offset/i);
      await refused(() => em.from('people').limit(wrong).all(), /limit/i);
    }
    await refused(() => em.find('people', { wehre: {} } as never), /"where"/);
    expect(await em.count('people')).toBe(alive.length);
  });
});
