import { eq, gt, relations, sql } from 'drizzle-orm';
import {
  bigint,
  binary,
  boolean,
  date,
  datetime,
  decimal,
  double,
  float,
  int,
  json,
  mysqlTable,
  serial,
  text,
  time,
  timestamp,
  varchar,
  year,
} from 'drizzle-orm/mysql-core';
import type { MySql2Database } from 'drizzle-orm/mysql2';
import type { Step } from './scenario.ts';

const users = mysqlTable('drizzle_users', {
  id: int().primaryKey().autoincrement(),
  email: varchar({ length: 100 }).notNull().unique(),
  name: text(),
  active: boolean().default(true),
  visits: bigint({ mode: 'bigint' }).default(0n),
  clicks: bigint({ mode: 'number', unsigned: true }).default(0),
  score: double(),
  rate: float(),
  balance: decimal({ precision: 20, scale: 4 }),
  joined: timestamp({ fsp: 3 }).notNull(),
  seen: datetime({ mode: 'string', fsp: 6 }),
  met: datetime({ fsp: 3 }),
  born: date({ mode: 'string' }),
  bornAt: date(),
  wakes: time(),
  made: year(),
  photo: binary({ length: 4 }),
  prefs: json().$type<object>(),
});

const posts = mysqlTable('drizzle_posts', {
  id: serial().primaryKey(),
  title: varchar({ length: 20 }).notNull(),
  views: int().default(0),
  authorId: int()
    .notNull()
    .references(() => users.id),
});

const keys = mysqlTable('drizzle_keys', {
  id: varchar({ length: 20 })
    .primaryKey()
    .$defaultFn(() => 'made up'),
  note: text(),
});

const missing = mysqlTable('drizzle_missing', { id: int() });

export const schema = {
  users,
  posts,
  usersRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
  postsRelations: relations(posts, ({ one }) => ({
    author: one(users, { fields: [posts.authorId], references: [users.id] }),
  })),
};

type Db = MySql2Database<typeof schema>;

export const tables: readonly string[] = [
  'DROP TABLE IF EXISTS drizzle_posts, drizzle_users, drizzle_keys',
  'CREATE TABLE drizzle_users (id int AUTO_INCREMENT PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, name text, active boolean DEFAULT true, visits bigint DEFAULT 0, clicks bigint unsigned DEFAULT 0, score double, rate float, balance decimal(20, 4), joined timestamp(3) NOT NULL, seen datetime(6), met datetime(3), born date, bornAt date, wakes time, made year, photo binary(4), prefs json)',
  'CREATE TABLE drizzle_posts (id serial PRIMARY KEY, title varchar(20) NOT NULL, views int DEFAULT 0, authorId int NOT NULL, FOREIGN KEY (authorId) REFERENCES drizzle_users (id))',
  'CREATE TABLE drizzle_keys (id varchar(20) PRIMARY KEY, note text)',
];

const joined = new Date('2026-03-29T11:30:15.250Z');

export const steps: readonly Step<Db>[] = [
  (db) => db.insert(users).values({ email: 'ada', name: 'Ada', joined }),
  (db) =>
    db.insert(users).values({
      email: 'bob',
      joined,
      active: false,
      visits: 9_007_199_254_740_993n,
      clicks: 42,
      score: 0.1 + 0.2,
      rate: 0.1,
      balance: '12345678901.2345',
      seen: '2026-01-02 03:04:05.678900',
      met: joined,
      born: '2000-02-29',
      bornAt: new Date('1999-12-31'),
      wakes: '06:30:00',
      made: 2026,
      photo: 'abcd',
      prefs: { tags: ['a', 1, null] },
    }),
  (db) =>
    db
      .insert(posts)
      .values([
        { title: 'First', authorId: 1 },
        { title: 'Second', authorId: 2, views: 7 },
      ])
      .$returningId(),
  (db) => db.insert(keys).values({ note: 'n' }).$returningId(),
  (db) => db.select().from(users).orderBy(users.id),
  (db) => db.select({ n: sql`count(*)`, top: sql<number>`max(${posts.views})` }).from(posts),
  (db) => db.select().from(users).leftJoin(posts, eq(posts.authorId, users.id)).orderBy(users.id),
  (db) => db.query.users.findMany({ with: { posts: true }, orderBy: users.id }),
  (db) => db.query.users.findFirst({ where: eq(users.email, 'nobody') }),
  (db) =>
    db.query.posts.findFirst({ with: { author: { columns: { joined: true, prefs: true } } } }),
  (db) => db.$count(users, gt(users.visits, 5n)),
  (db) => {
    const byEmail = db
      .select()
      .from(users)
      .where(eq(users.email, sql.placeholder('email')))
      .prepare();
    return Promise.all(['ada', 'bob', 'nobody'].map((email) => byEmail.execute({ email })));
  },
  async (db) => {
    const found: unknown[] = [];
    const query = db.select().from(users).orderBy(users.id).prepare();
    for await (const row of query.iterator()) found.push(row);
    return found;
  },
  (db) => db.select().from(users).orderBy(users.id).limit(1).offset(1),
  (db) =>
    db
      .update(posts)
      .set({ views: sql`${posts.views} + 1` })
      .where(eq(posts.id, 1)),
  (db) =>
    db
      .insert(users)
      .values({ email: 'ada', joined })
      .onDuplicateKeyUpdate({ set: { name: 'C' } }),
  (db) => db.insert(users).ignore().values({ email: 'ada', joined }),
  (db) =>
    db.execute(sql`select 1 as one, 1.5 as half, 1e0 as real_one, null as nothing, 'x' as word`),
  (db) =>
    db.execute(
      sql`select cast('2026-01-02 03:04:05.67' as datetime(2)) as at, cast('2026-01-02' as date) as day, 9007199254740993 as big, cast(5 as unsigned) as positive, x'00ff' as bytes`,
    ),
  // What goes wrong.
  (db) => db.insert(users).values({ email: 'ada', joined }),
  (db) => db.insert(posts).values({ title: 'Lost', authorId: 4711 }),
  (db) => db.insert(posts).values({ title: 'longer than twenty letters', authorId: 1 }),
  (db) => db.delete(users).where(eq(users.id, 2)),
  (db) => db.select().from(missing),
  // Transactions.
  (db) =>
    db.transaction(
      async (tx) => {
        await tx.update(users).set({ name: 'Kept' }).where(eq(users.id, 1));
        return tx.query.users.findFirst({ columns: { name: true } });
      },
      { isolationLevel: 'serializable', accessMode: 'read write' },
    ),
  (db) =>
    db.transaction((tx) => tx.select({ n: sql`count(*)` }).from(posts), {
      isolationLevel: 'repeatable read',
      withConsistentSnapshot: true,
    }),
  (db) =>
    db.transaction(async (tx) => {
      await tx.delete(posts);
      tx.rollback();
    }),
  (db) =>
    db.transaction(async (tx) => {
      await tx.insert(posts).values({ title: 'Outer', authorId: 1 });
      const inner = await tx
        .transaction(async (nested) => {
          await nested.insert(posts).values({ title: 'Inner', authorId: 1 });
          await nested.insert(users).values({ email: 'ada', joined });
        })
        .catch((error: Error) => error.message);
      await tx.transaction((nested) => nested.insert(posts).values({ title: 'Deep', authorId: 1 }));
      return inner;
    }),
  (db) => db.delete(posts).where(eq(posts.title, 'Deep')),
  (db) => db.select({ title: posts.title, views: posts.views }).from(posts).orderBy(posts.id),
];
