import type { Knex } from 'knex';
import { once } from 'node:events';
import type pg from 'pg';
import { caught, type Engine } from './contenders.ts';
import { emptying } from '../../../../tests/setup/emptying.ts';

/** What Knex's documentation shows, and what it answers. */
type Example = (db: Knex, engine: Engine['name']) => Promise<unknown>;

const USERS = 'knex_users';
const BOOKS = 'knex_books';

export async function makeTables(db: Knex): Promise<void> {
  await dropTables(db);
  await db.schema.createTable(USERS, (table) => {
    table.increments('id');
    table.string('user_name').notNullable();
    table.integer('age');
    table.timestamp('created_at').defaultTo(db.fn.now());
  });
  await db.schema.createTable(BOOKS, (table) => {
    table.increments('id');
    table.string('title').notNullable().unique();
    table.integer('user_id').unsigned().references(`${USERS}.id`).onDelete('CASCADE');
  });
}

/** Three users and their books, and nothing of the examples before. */
export async function fillTables(db: Knex, engine: Engine['name']): Promise<void> {
  for (const text of emptying(engine, [BOOKS, USERS])) await db.raw(text);
  await db(USERS).insert([
    { user_name: 'Tim', age: 30 },
    { user_name: 'Anna', age: 40 },
    { user_name: 'Lee', age: null },
  ]);
  await db(BOOKS).insert([
    { title: 'Moby Dick', user_id: 1 },
    { title: 'Emma', user_id: 2 },
    { title: 'Dracula', user_id: 1 },
  ]);
}

export async function dropTables(db: Knex): Promise<void> {
  await db.schema.dropTableIfExists(BOOKS);
  await db.schema.dropTableIfExists(USERS);
}

const returns = (engine: Engine['name']): boolean => engine === 'postgres' || engine === 'sqlite';
const users = (db: Knex): Knex.QueryBuilder =>
  db(USERS).select('id', 'user_name', 'age').orderBy('id');

export const examples: Readonly<Record<string, Example>> = {
  'select: columns, conditions, first, pluck': async (db) => [
    await users(db),
    await db(USERS).where({ user_name: 'Tim' }).select('id'),
    await db(USERS).where('age', '>', 35).orWhereNull('age').orderBy('id').select('id as key'),
    await db(USERS).whereIn('id', [1, 3]).orderBy('id', 'desc').select('user_name'),
    await db(USERS).whereNotIn('id', db(BOOKS).select('user_id')).select('id'),
    await db(USERS).whereBetween('age', [20, 35]).select('id'),
    await db.first('id', 'user_name').from(USERS).orderBy('id'),
    await db.first('id').from(USERS).where('id', 99),
    await db(USERS).orderBy('id').pluck('user_name'),
    await db(BOOKS).distinct('user_id').orderBy('user_id'),
    await db(USERS).orderBy('id').limit(1).offset(1).select('id'),
  ],

  'select: joins, groups, unions, with': async (db) => [
    await db(USERS)
      .join(BOOKS, `${USERS}.id`, `${BOOKS}.user_id`)
      .select('user_name', 'title')
      .orderBy(`${BOOKS}.id`),
    await db(USERS)
      .leftJoin(BOOKS, `${USERS}.id`, `${BOOKS}.user_id`)
      .groupBy(`${USERS}.id`, 'user_name')
      .having(db.raw('count(*)'), '<', 5)
      .orderBy(`${USERS}.id`)
      .select('user_name')
      .count({ books: `${BOOKS}.id` }),
    await db(USERS).count('* as all').sum('age as sum').avg('age as mean').max('age as oldest'),
    await db(USERS)
      .select('user_name as word')
      .where('id', 1)
      .union(db(BOOKS).select('title as word').where('id', 2))
      .orderBy('word'),
    await db
      .with('mine', db(BOOKS).where('user_id', 1))
      .select('title')
      .from('mine')
      .orderBy('title'),
    await db(USERS)
      .whereExists(
        db(BOOKS)
          .select('*')
          .whereRaw('?? = ??', [`${USERS}.id`, `${BOOKS}.user_id`]),
      )
      .orderBy('id')
      .select('id'),
    await db(USERS)
      .columnInfo()
      .then((info) => Object.keys(info).toSorted()),
  ],

  'insert: one, many, batches, returning': async (db, engine) => [
    shapeOfInsert(engine, await db(USERS).insert({ user_name: 'Slaughterhouse', age: 5 })),
    shapeOfInsert(engine, await db(USERS).insert([{ user_name: 'A' }, { user_name: 'B' }])),
    returns(engine) && (await db(USERS).insert({ user_name: 'C' }).returning(['id', 'user_name'])),
    returns(engine) &&
      (await db(USERS)
        .insert({ user_name: 'D' }, '*')
        .then((rows) => rows.length)),
    await db
      .batchInsert(
        USERS,
        Array.from({ length: 25 }, (_, at) => ({ user_name: `n${at}` })),
        10,
      )
      .then((answer) => answer.length),
    await users(db),
  ],

  'update and delete: counts, returning, increment': async (db, engine) => [
    await db(USERS).where('id', 1).update({ age: 31 }),
    await db(USERS).where('id', 1).update({ age: 31 }),
    await db(USERS).increment('age', 2),
    await db(USERS).where('id', 99).update('age', 1),
    returns(engine) && (await db(USERS).where('id', 2).update({ age: 1 }, ['id', 'age'])),
    await db(USERS).where('id', 2).del(),
    returns(engine) && (await db(BOOKS).where('id', 1).del('title')),
    await db(BOOKS).count('id as left'),
    await users(db),
  ],

  'upsert: ignore, merge': async (db) => {
    const again = { title: 'Emma', user_id: 3 };
    await db(BOOKS).insert(again).onConflict('title').ignore();
    const ignored = await db(BOOKS).orderBy('id').select('title', 'user_id');
    await db(BOOKS).insert(again).onConflict('title').merge();
    return [ignored, await db(BOOKS).orderBy('id').select('title', 'user_id')];
  },

  'raw: rows, bindings, changes': async (db, engine) => [
    documented(engine, await db.raw('select ? as one, ? as word', [1, 'x'])),
    documented(
      engine,
      await db.raw('select user_name from :table: where id = :id', { table: USERS, id: 1 }),
    ),
    documented(
      engine,
      await db.raw('select ?? from ?? where ?? = ?', ['user_name', USERS, 'id', 2]),
    ),
    documented(engine, await db.raw(`update ${USERS} set age = 1 where id = ?`, [1])),
    documented(engine, await db.raw(`delete from ${BOOKS}`)),
    engine === 'postgres' &&
      (await db
        .raw(
          `insert into ${USERS} (user_name) values ('a;b'); select count(*) as all from ${USERS}`,
        )
        .then((answers: unknown[]) => answers.map((answer) => documented(engine, answer)))),
    await db(USERS).select(db.raw('upper(user_name) as loud')).orderBy('id'),
  ],

  'transactions: committed, rolled back, by hand': async (db) => {
    const answers: unknown[] = [
      await db.transaction(async (trx) => {
        await trx(USERS).insert({ user_name: 'In' });
        return users(trx);
      }),
      await caught(
        db.transaction(async (trx) => {
          await trx(USERS).del();
          throw new Error('no');
        }),
      ),
      await caught(
        db.transaction((trx) => trx(USERS).insert({ user_name: 'Then' }).then(trx.commit)),
      ),
    ];
    const trx = await db.transaction();
    await trx(BOOKS).del();
    answers.push(await trx(BOOKS).count('id as left'));
    await trx.rollback();
    const provider = db.transactionProvider();
    const provided = await provider();
    await db(USERS).transacting(provided).insert({ user_name: 'Provided' });
    await provided.commit();
    answers.push(provided.isCompleted(), await caught(provided(USERS).select('*')));
    return [...answers, await db(BOOKS).count('id as all'), await users(db)];
  },

  'transactions: nested, with settings': async (db) => {
    const error = await db.transaction(async (trx) => {
      await trx(USERS).insert({ user_name: 'Outer' });
      const inner = await caught(
        trx.transaction(async (nested) => {
          await nested(USERS).del();
          await nested(BOOKS).insert({ title: 'Emma', user_id: 1 });
        }),
      );
      await trx.transaction((nested) => nested(USERS).insert({ user_name: 'Inner' }));
      const saved = await trx.transaction();
      await saved(USERS).del();
      await saved.rollback();
      return inner;
    });
    return [
      error,
      await db.transaction((trx) => users(trx), { isolationLevel: 'serializable' }),
      await db.transaction((trx) => users(trx), { readOnly: true }),
      await users(db),
    ];
  },

  streams: async (db) => {
    const rows: unknown[] = [];
    for await (const row of users(db).stream()) rows.push(row);
    await users(db).stream((stream) => {
      stream.on('data', (row) => rows.push(row));
    });
    const left = users(db).stream();
    left.once('data', (row) => {
      rows.push(row);
      left.destroy();
    });
    await once(left, 'close');
    const broken = db('knex_nowhere').select('*').stream();
    const [error] = (await once(broken, 'error').catch((reason: unknown) => [reason])) as [unknown];
    await db.transaction(async (trx) => {
      for await (const row of users(trx).stream()) rows.push(row);
    });
    return [rows, error, await users(db)];
  },

  'values of every kind': async (db, engine) => {
    const { columns, row } = kinds[engine];
    await db.schema.dropTableIfExists('knex_values');
    await db.raw(`create table knex_values (${columns})`);
    await db('knex_values').insert(row);
    const rows = await db('knex_values').select('*');
    await db.schema.dropTable('knex_values');
    return rows;
  },

  schema: async (db) => {
    await db.schema.dropTableIfExists('knex_things');
    await db.schema.createTable('knex_things', (table) => {
      table.bigInteger('id').primary();
      table.string('name', 40).notNullable().defaultTo('none').index();
      table.boolean('on');
      table.decimal('price', 8, 2);
      table.json('extra');
    });
    const answers: unknown[] = [
      await db.schema.hasTable('knex_things'),
      await db.schema.hasTable('knex_nothing'),
      await db.schema.hasColumn('knex_things', 'price'),
      await db('knex_things').columnInfo(),
    ];
    await db('knex_things').insert({ id: 1, name: 'x', price: 2.5 });
    await db.schema.alterTable('knex_things', (table) => {
      table.integer('count').defaultTo(0);
      table.renameColumn('name', 'label');
      table.dropColumn('extra');
    });
    await db.schema.alterTable('knex_things', (table) => {
      table.string('label', 80).nullable().alter();
    });
    answers.push(
      await db('knex_things').select('id', 'label', 'price', 'count'),
      await db('knex_things').columnInfo(),
    );
    await db.schema.renameTable('knex_things', 'knex_other');
    answers.push(await db.schema.hasTable('knex_other'));
    await db.schema.dropTable('knex_other');
    return answers;
  },

  migrations: async (db, engine) => {
    const steps: Readonly<Record<string, Knex.Migration>> = {
      '1_toys': {
        up: (on) => on.schema.createTable('knex_toys', (table) => void table.increments('id')),
        down: (on) => on.schema.dropTable('knex_toys'),
      },
      '2_price': {
        up: (on) => on.schema.alterTable('knex_toys', (table) => void table.integer('price')),
        down: (on) => on.schema.alterTable('knex_toys', (table) => void table.dropColumn('price')),
      },
    };
    const migrationSource: Knex.MigrationSource<string> = {
      getMigrations: () => Promise.resolve(Object.keys(steps)),
      getMigrationName: (name) => name,
      getMigration: (name) => Promise.resolve(steps[name]!),
    };
    const tableName = 'knex_steps';
    const config = { migrationSource, tableName };
    for (const table of ['knex_toys', tableName, `${tableName}_lock`]) {
      await db.schema.dropTableIfExists(table);
    }
    const answers: unknown[] = [
      await db.migrate.latest(config),
      await db.migrate.latest(config),
      await db.migrate.currentVersion(config),
      await db.migrate.list(config).then(([done, left]: unknown[][]) => [done?.length, left]),
      await db('knex_toys').columnInfo(),
      await db.migrate.down(config),
      await db.migrate.rollback(config, true),
      await db.schema.hasTable('knex_toys'),
    ];
    const broken: Knex.MigrationSource<string> = {
      ...migrationSource,
      getMigrations: () => Promise.resolve(['3_broken']),
      getMigration: () =>
        Promise.resolve({
          up: (on) => on.raw('select nothing from nowhere'),
          down: () => Promise.resolve(),
        }),
    };
    answers.push(await caught(db.migrate.latest({ tableName, migrationSource: broken })));
    answers.push(engine === 'postgres' && (await db.schema.hasTable(tableName)));
    await db.schema.dropTable(tableName);
    await db.schema.dropTable(`${tableName}_lock`);
    return answers;
  },

  events: async (db) => {
    const heard: unknown[] = [];
    const note =
      (event: string) =>
      (...[first, second]: readonly { readonly sql?: string }[]): void => {
        heard.push([event, first?.sql ?? second?.sql]);
      };
    const listeners = {
      start: note('start'),
      query: note('query'),
      'query-response': note('response'),
      'query-error': note('error'),
    };
    for (const [event, listener] of Object.entries(listeners)) db.on(event, listener);
    await db(USERS).select('id').where('id', 1);
    await caught(db('knex_nowhere').select('x'));
    await db.transaction((trx) => trx(USERS).where('id', 1).del());
    await caught(db.transaction(() => Promise.reject(new Error('no'))));
    for (const [event, listener] of Object.entries(listeners)) db.removeListener(event, listener);
    return heard;
  },

  errors: async (db) => [
    await caught(db(BOOKS).insert({ title: 'Emma', user_id: 1 })),
    await caught(db(BOOKS).insert({ title: 'New', user_id: 99 })),
    await caught(db(USERS).insert({ user_name: null })),
    await caught(db('knex_nowhere').select('*')),
    await caught(db.raw('selec 1')),
    await caught(db(USERS).where({ id: undefined })),
  ],

  'options and hooks': async (db, engine) => [
    engine === 'postgres' &&
      (await db(USERS).select('id', 'age').orderBy('id').options({ rowMode: 'array' })),
    engine.startsWith('m') &&
      (await db(USERS).select('id', 'age').orderBy('id').options({ rowsAsArray: true })),
    engine.startsWith('m') &&
      (await db(USERS).select('id', 'age').orderBy('id').options({ nestTables: true })),
    await db
      .select('id')
      .from(USERS)
      .orderBy('id')
      .queryContext({ a: 1 })
      .then((rows) => rows.length),
    await db(USERS).select('id').timeout(5_000).orderBy('id'),
  ],
};

/** Without RETURNING, what PostgreSQL's driver says is all of its answer. */
function shapeOfInsert(engine: Engine['name'], answer: unknown): unknown {
  return engine === 'postgres' ? documented(engine, answer) : answer;
}

/** What is documented of the driver's own answer. */
function documented(engine: Engine['name'], answer: unknown): unknown {
  if (engine === 'sqlite') return answer;
  if (engine === 'postgres') {
    const { command, rowCount, rows, fields } = answer as pg.QueryResult;
    return {
      command,
      rowCount,
      rows,
      fields: fields.map(({ name, dataTypeID }) => [name, dataTypeID]),
    };
  }
  const [rows, fields] = answer as [unknown, { readonly name: string }[] | undefined];
  return [rows, fields?.map(({ name }) => name)];
}

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
      g: { x: [1, null] },
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
      g: { x: [1, null] },
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
    columns: 'a integer, b numeric, c boolean, d timestamp, h blob, j real',
    row: { a: 2 ** 40, b: 1.5, c: true, d: at, h: Buffer.from([1, 2, 255]), j: 0.1 },
  },
};
