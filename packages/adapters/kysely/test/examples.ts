import { CamelCasePlugin, type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { type AnyTables, caught, type Engine } from './contenders.ts';
import { emptying } from '../../../../tests/setup/emptying.ts';

type Db = Kysely<AnyTables>;
/** What Kysely's documentation shows, and what it answers. */
type Example = (db: Db, engine: Engine['name']) => Promise<unknown>;

const PERSON = 'kysely_person';
const PET = 'kysely_pet';
const MIGRATIONS = ['kysely_migration', 'kysely_migration_lock'];

/** Three people and their pets, and nothing of the examples before. */
export async function fillTables(db: Db, engine: Engine['name']): Promise<void> {
  for (const text of emptying(engine, [PET, PERSON])) await sql.raw(text).execute(db);
  await db
    .insertInto(PERSON)
    .values([
      { first_name: 'Jennifer', last_name: 'Aniston', age: 25 },
      { first_name: 'Arnold', last_name: 'Schwarzenegger', age: 77 },
      { first_name: 'Sylvester', last_name: null, age: 78 },
    ])
    .execute();
  await db
    .insertInto(PET)
    .values([
      { name: 'Catto', species: 'cat', owner_id: 1 },
      { name: 'Doggo', species: 'dog', owner_id: 2 },
      { name: 'Hammo', species: 'hamster', owner_id: 1 },
    ])
    .execute();
}

export async function tearDown(db: Db): Promise<void> {
  await dropTables(db, [PET, PERSON]);
}

async function dropTables(db: Db, tables: readonly string[]): Promise<void> {
  for (const table of tables) await db.schema.dropTable(table).ifExists().execute();
}

export async function makeTables(db: Db, engine: Engine['name']): Promise<void> {
  await tearDown(db);
  await db.schema
    .createTable(PERSON)
    .addColumn('id', engine === 'postgres' ? 'serial' : 'integer', (column) =>
      engine === 'postgres' ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn('first_name', 'varchar(255)', (column) => column.notNull())
    .addColumn('last_name', 'varchar(255)')
    .addColumn('age', 'integer')
    .addColumn('created_at', 'timestamp', (column) =>
      column.defaultTo(sql`CURRENT_TIMESTAMP`).notNull(),
    )
    .execute();
  await db.schema
    .createTable(PET)
    .addColumn('id', engine === 'postgres' ? 'serial' : 'integer', (column) =>
      engine === 'postgres' ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    .addColumn('name', 'varchar(255)', (column) => column.notNull().unique())
    .addColumn('species', 'varchar(32)')
    .addColumn('owner_id', 'integer', (column) => column.notNull())
    .addForeignKeyConstraint('kysely_pet_owner', ['owner_id'], PERSON, ['id'], (constraint) =>
      constraint.onDelete('cascade'),
    )
    .execute();
}

const returns = (engine: Engine['name']): boolean => engine === 'postgres' || engine === 'sqlite';
const names = (db: Db): Promise<unknown> =>
  db.selectFrom(PERSON).select(['id', 'first_name', 'last_name', 'age']).orderBy('id').execute();

export const examples: Readonly<Record<string, Example>> = {
  'select: columns, aliases, conditions': async (db) => [
    await db.selectFrom(PERSON).select('id').where('first_name', '=', 'Arnold').execute(),
    await db
      .selectFrom(`${PERSON} as p`)
      .select(['p.first_name as name', 'p.age'])
      .where((eb) => eb.or([eb('p.age', '<', 30), eb('p.last_name', 'is', null)]))
      .orderBy('p.id', 'desc')
      .execute(),
    await db.selectFrom(PERSON).select('id').where('id', 'in', [1, 3]).orderBy('id').execute(),
    await db.selectFrom(PERSON).select('id').where('id', '=', 99).executeTakeFirst(),
    await caught(db.selectFrom(PERSON).select('id').where('id', '=', 99).executeTakeFirstOrThrow()),
    await db.selectFrom(PERSON).select('first_name').orderBy('id').limit(1).offset(1).execute(),
    await db.selectFrom(PET).select('species').distinct().orderBy('species').execute(),
  ],

  'select: joins, groups, subqueries, cases': async (db) => [
    await db
      .selectFrom(PERSON)
      .innerJoin(PET, `${PET}.owner_id`, `${PERSON}.id`)
      .select(['first_name', `${PET}.name as pet_name`])
      .orderBy(`${PET}.id`)
      .execute(),
    await db
      .selectFrom(PERSON)
      .leftJoin(PET, `${PET}.owner_id`, `${PERSON}.id`)
      .select(({ fn }) => ['first_name', fn.count(`${PET}.id`).as('pets')])
      .groupBy(['first_name', `${PERSON}.id`])
      .having(({ fn }) => fn.count(`${PET}.id`), '<', 5)
      .orderBy(`${PERSON}.id`)
      .execute(),
    await db
      .selectFrom(PERSON)
      .select(({ fn }) => [
        fn.countAll().as('all'),
        fn.avg('age').as('mean'),
        fn.sum('age').as('sum'),
        fn.max('age').as('oldest'),
      ])
      .execute(),
    await db
      .selectFrom(PERSON)
      .select(['id'])
      .where(({ exists, selectFrom }) =>
        exists(selectFrom(PET).select('id').whereRef(`${PET}.owner_id`, '=', `${PERSON}.id`)),
      )
      .orderBy('id')
      .execute(),
    await db
      .selectFrom(PERSON)
      .select((eb) => [
        'id',
        eb.case().when('age', '<', 30).then('young').else('old').end().as('how'),
        eb.fn.coalesce('last_name', sql<string>`'-'`).as('last'),
      ])
      .orderBy('id')
      .execute(),
    await db
      .with('cats', (qb) => qb.selectFrom(PET).selectAll().where('species', '=', 'cat'))
      .selectFrom('cats')
      .select('cats.name')
      .execute(),
  ],

  'insert: one, many, from a query, returning': async (db, engine) => [
    await db
      .insertInto(PERSON)
      .values({ first_name: 'Meryl', last_name: 'Streep', age: 76 })
      .executeTakeFirst(),
    await db
      .insertInto(PERSON)
      .values([
        { first_name: 'Bradley', age: 50 },
        { first_name: 'Robert', age: 60 },
      ])
      .execute(),
    await db
      .insertInto(PERSON)
      .columns(['first_name', 'age'])
      .expression((eb) => eb.selectFrom(PET).select(['name', sql<number>`1`.as('age')]))
      .executeTakeFirst(),
    returns(engine) &&
      (await db
        .insertInto(PERSON)
        .values({ first_name: 'Jodie' })
        .returning(['id', 'first_name', 'age'])
        .executeTakeFirst()),
    await names(db),
  ],

  'update and delete: counts, returning': async (db, engine) => [
    await db.updateTable(PERSON).set({ age: 26 }).where('id', '=', 1).executeTakeFirst(),
    await db.updateTable(PERSON).set({ age: 26 }).where('id', '=', 1).executeTakeFirst(),
    await db
      .updateTable(PERSON)
      .set((eb) => ({ age: eb('age', '+', 1) }))
      .execute(),
    returns(engine) &&
      (await db
        .updateTable(PERSON)
        .set({ last_name: 'Stallone' })
        .where('id', '=', 3)
        .returning(['last_name'])
        .execute()),
    await db.deleteFrom(PERSON).where('id', '=', 2).executeTakeFirst(),
    await db.deleteFrom(PERSON).where('id', '=', 2).executeTakeFirst(),
    returns(engine) && (await db.deleteFrom(PET).returning('name').execute()),
    await names(db),
  ],

  'upsert: do nothing, update': async (db, engine) => {
    const again = db.insertInto(PET).values({ name: 'Catto', species: 'lion', owner_id: 3 });
    const change = { species: 'lion' };
    return [
      returns(engine)
        ? await again.onConflict((on) => on.column('name').doNothing()).execute()
        : await again.ignore().execute(),
      returns(engine)
        ? await again.onConflict((on) => on.column('name').doUpdateSet(change)).executeTakeFirst()
        : await again.onDuplicateKeyUpdate(change).executeTakeFirst(),
      await db.selectFrom(PET).select(['name', 'species']).orderBy('id').execute(),
    ];
  },

  'transactions: committed, rolled back, with settings': async (db) => [
    await db.transaction().execute(async (trx) => {
      await trx.insertInto(PERSON).values({ first_name: 'In' }).execute();
      return names(trx);
    }),
    await caught(
      db.transaction().execute(async (trx) => {
        await trx.deleteFrom(PERSON).execute();
        throw new Error('no');
      }),
    ),
    await db
      .transaction()
      .setIsolationLevel('serializable')
      .execute((trx) => names(trx)),
    await db
      .transaction()
      .setAccessMode('read only')
      .execute((trx) => names(trx)),
    await names(db),
  ],

  'a controlled transaction with savepoints': async (db) => {
    const trx = await db.startTransaction().execute();
    await trx.insertInto(PERSON).values({ first_name: 'Kept' }).execute();
    const saved = await trx.savepoint('before').execute();
    await saved.deleteFrom(PERSON).execute();
    const gone = await names(saved);
    await saved.rollbackToSavepoint('before').execute();
    await saved.releaseSavepoint('before').execute();
    await trx.commit().execute();
    const other = await db.startTransaction().execute();
    await other.deleteFrom(PERSON).execute();
    await other.rollback().execute();
    return [gone, await names(db), trx.isCommitted, other.isRolledBack];
  },

  'an error inside of a transaction, undone by a savepoint': async (db) => {
    const trx = await db.startTransaction().execute();
    const saved = await trx.savepoint('here').execute();
    const error = await caught(
      saved.insertInto(PET).values({ name: 'Catto', species: 'x', owner_id: 1 }).execute(),
    );
    await saved.rollbackToSavepoint('here').execute();
    await trx.insertInto(PERSON).values({ first_name: 'After' }).execute();
    await trx.commit().execute();
    return [error, await names(db)];
  },

  'several statements in one text': async (db, engine) => {
    if (engine !== 'postgres') return undefined;
    const text = `insert into ${PERSON} (first_name) values ('a;b'); delete from ${PET}`;
    await sql.raw(text).execute(db);
    await db.transaction().execute((trx) => sql.raw(text).execute(trx));
    return [await names(db), await db.selectFrom(PET).selectAll().execute()];
  },

  'raw SQL': async (db) => [
    await sql`select ${1} as one, ${'x'} as word`.execute(db),
    await sql<{ first_name: string }>`
      select ${sql.ref('first_name')} from ${sql.table(PERSON)} where id = ${2}
    `.execute(db),
    await sql`update ${sql.table(PERSON)} set age = 1 where id = ${1}`.execute(db),
    await sql`delete from ${sql.table(PET)}`.execute(db),
    await db
      .selectFrom(PERSON)
      .select(sql<string>`upper(first_name)`.as('loud'))
      .orderBy('id')
      .execute(),
  ],

  'streams, to the end and left early': async (db) => {
    const rows: unknown[] = [];
    const people = db.selectFrom(PERSON).select(['id', 'first_name']).orderBy('id');
    for await (const row of people.stream(2)) rows.push(row);
    for await (const row of people.stream()) {
      rows.push(row);
      break;
    }
    return [rows, await names(db)];
  },

  'values of every kind': async (db, engine) => {
    const types = kinds[engine];
    await dropTables(db, ['kysely_toy']);
    await sql.raw(`create table kysely_toy (${types.columns})`).execute(db);
    await db.insertInto('kysely_toy').values(types.row).execute();
    const rows = await db.selectFrom('kysely_toy').selectAll().execute();
    await dropTables(db, ['kysely_toy']);
    return rows;
  },

  migrations: async (db) => {
    const migrations: Record<string, Migration> = {
      '1_toys': {
        up: (on) =>
          on.schema
            .createTable('kysely_toy')
            .addColumn('id', 'integer', (column) => column.primaryKey())
            .addColumn('name', 'varchar(40)')
            .execute(),
        down: (on) => on.schema.dropTable('kysely_toy').execute(),
      },
      '2_price': {
        up: async (on) => {
          await on.schema.alterTable('kysely_toy').addColumn('price', 'integer').execute();
          await on.schema.createIndex('kysely_toy_name').on('kysely_toy').column('name').execute();
        },
        down: async (on) => {
          await on.schema.alterTable('kysely_toy').dropColumn('price').execute();
        },
      },
    };
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(migrations) },
    });
    const up = await migrator.migrateToLatest();
    const again = await migrator.migrateToLatest();
    const tables = await db.introspection.getTables();
    const down = await migrator.migrateDown();
    await dropTables(db, ['kysely_toy', ...MIGRATIONS]);
    return [up, again, down, tables.find(({ name }) => name === 'kysely_toy')];
  },

  'a broken migration': async (db) => {
    const broken: Migration = {
      up: async (on) => void (await sql`select nothing from nowhere`.execute(on)),
    };
    const provider = { getMigrations: () => Promise.resolve({ '1_broken': broken }) };
    const result = await new Migrator({ db, provider }).migrateToLatest();
    await dropTables(db, MIGRATIONS);
    return result;
  },

  plugins: async (db) =>
    db
      .withPlugin(new CamelCasePlugin())
      .selectFrom('kyselyPerson')
      .select(['firstName', 'lastName'])
      .orderBy('id')
      .execute(),

  errors: async (db) => [
    await caught(db.insertInto(PET).values({ name: 'Catto', owner_id: 1 }).execute()),
    await caught(db.insertInto(PET).values({ name: 'Nobody', owner_id: 99 }).execute()),
    await caught(db.insertInto(PERSON).values({ first_name: null }).execute()),
    await caught(db.selectFrom('kysely_nowhere').selectAll().execute()),
    await caught(sql`selec 1`.execute(db)),
  ],

  'one session for several statements': async (db, engine) => {
    const id = {
      postgres: sql<{ id: unknown }>`select pg_backend_pid() as id`,
      mysql: sql<{ id: unknown }>`select connection_id() as id`,
      mariadb: sql<{ id: unknown }>`select connection_id() as id`,
      sqlite: sql<{ id: unknown }>`select 1 as id`,
    }[engine];
    return db.connection().execute(async (one) => {
      const ids = [await id.execute(one), await id.execute(one)];
      return ids[0]!.rows[0]!.id === ids[1]!.rows[0]!.id;
    });
  },
};

const at = new Date('2024-03-05T06:07:08.000Z');

const kinds: Readonly<
  Record<Engine['name'], { readonly columns: string; readonly row: Record<string, unknown> }>
> = {
  postgres: {
    columns:
      'a bigint, b numeric(20, 5), c boolean, d timestamptz, e timestamp, f date, g jsonb, h bytea, i text[], j double precision, k interval, l uuid',
    row: {
      a: '9007199254740993',
      b: '123.45000',
      c: true,
      d: at,
      e: at,
      f: '2024-03-05',
      g: JSON.stringify({ x: [1, null] }),
      h: Buffer.from([1, 2, 255]),
      i: ['x', 'y"z'],
      j: 0.1,
      k: '1 day 02:00:00',
      l: '0f0e4a7a-1111-4222-8333-944444444444',
    },
  },
  mysql: {
    columns:
      'a bigint, b decimal(20, 5), c boolean, d datetime(3), e timestamp(3) null, f date, g json, h varbinary(10), i bigint unsigned, j double, k time, l year',
    row: {
      a: 9_007_199_254_740_991,
      b: '123.45000',
      c: true,
      d: at,
      e: at,
      f: '2024-03-05',
      g: JSON.stringify({ x: [1, null] }),
      h: Buffer.from([1, 2, 255]),
      i: 5,
      j: 0.1,
      k: '10:11:12',
      l: 2024,
    },
  },
  get mariadb() {
    return this.mysql;
  },
  sqlite: {
    columns: 'a integer, b numeric, c boolean, d text, h blob, j real',
    row: { a: 2 ** 40, b: 1.5, c: 1, d: 'text', h: Buffer.from([1, 2, 255]), j: 0.1 },
  },
};
