import { DummyDriver, Kysely, PostgresAdapter, PostgresQueryCompiler, sql } from 'kysely';
import { expect, test } from 'vitest';
import { onlyReads } from './only-reads.ts';

interface Tables {
  person: { id: number; name: string; age: number | null; tags: unknown };
  pet: { id: number; owner: number; name: string };
}

const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: () => {
      throw new Error('not used');
    },
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

test.each([
  ['columns', db.selectFrom('person').select(['id', 'name as called']).where('id', 'in', [1, 2])],
  ['everything', db.selectFrom('person').selectAll().orderBy('id', 'desc').limit(3).offset(1)],
  [
    'a join and a group',
    db
      .selectFrom('person as p')
      .leftJoin('pet', 'pet.owner', 'p.id')
      .select(({ fn }) => ['p.name', fn.count('pet.id').distinct().as('pets')])
      .groupBy('p.name')
      .having(({ fn }) => fn.max('pet.id'), '>', 2),
  ],
  [
    'conditions of all kinds',
    db
      .selectFrom('person')
      .select((eb) => eb.case().when('age', '<', 30).then('x').else('y').end().as('how'))
      .distinct()
      .where(({ and, or, eb, not, exists, selectFrom }) =>
        and([
          or([eb('age', 'is', null), eb.between('age', 1, 2)]),
          not(exists(selectFrom('pet').select('id').whereRef('owner', '=', 'person.id'))),
        ]),
      ),
  ],
  [
    'a union of reads in a WITH',
    db
      .with('old', (qb) => qb.selectFrom('person').select('id').where('age', '>', 60))
      .selectFrom('old')
      .select('id')
      .union(db.selectFrom('pet').select('id')),
  ],
  [
    'a value that looks like a part',
    db.selectFrom('person').select('id').where('tags', '=', { kind: 'RawNode' }),
  ],
])('%s: surely only reads', (_, query) => {
  expect(onlyReads(query.toOperationNode())).toBe(true);
});

test.each([
  ['an INSERT', db.insertInto('pet').values({ id: 1, owner: 1, name: 'x' })],
  ['an UPDATE', db.updateTable('pet').set({ name: 'x' })],
  ['a DELETE', db.deleteFrom('pet')],
  ['free text', db.selectFrom('person').select(sql<number>`nextval('s')`.as('n'))],
  [
    'free text deep inside',
    db
      .selectFrom('person')
      .select('id')
      .where('age', '>', sql<number>`f()`),
  ],
  [
    'free text in an ORDER BY',
    db
      .selectFrom('person')
      .select('id')
      .orderBy(sql`random()`),
  ],
  [
    'a function, which may be volatile',
    db.selectFrom('person').select(({ fn }) => fn<number>('nextval', ['name']).as('n')),
  ],
  [
    'an aggregate of any name',
    db.selectFrom('person').select(({ fn }) => fn.agg<number>('log_and_count', ['id']).as('n')),
  ],
  ['a lock', db.selectFrom('person').selectAll().forUpdate()],
  ['a shared lock', db.selectFrom('person').selectAll().forShare()],
  [
    'a change in a WITH',
    db
      .with('gone', (qb) => qb.deleteFrom('pet').returning('id'))
      .selectFrom('gone')
      .selectAll(),
  ],
  [
    'a change in a WITH of a subquery',
    db
      .selectFrom(
        db
          .with('new', (qb) =>
            qb.insertInto('pet').values({ id: 1, owner: 1, name: 'x' }).returning('id'),
          )
          .selectFrom('new')
          .select('id')
          .as('inner'),
      )
      .selectAll(),
  ],
  [
    'a modifier of free text',
    db
      .selectFrom('person')
      .selectAll()
      .modifyEnd(sql`for update`),
  ],
])('%s: may not run twice', (_, query) => {
  expect(onlyReads(query.toOperationNode())).toBe(false);
});
