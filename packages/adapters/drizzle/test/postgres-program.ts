import { eq, gt, relations, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import {
  bigint,
  boolean,
  customType,
  date,
  doublePrecision,
  integer,
  interval,
  jsonb,
  numeric,
  pgTable,
  serial,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import type { Step } from './scenario.ts';

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

const users = pgTable('drizzle_users', {
  id: serial().primaryKey(),
  email: text().notNull().unique(),
  name: text(),
  active: boolean().default(true),
  visits: bigint({ mode: 'bigint' }).default(0n),
  clicks: bigint({ mode: 'number' }).default(0),
  score: doublePrecision(),
  balance: numeric({ precision: 20, scale: 4 }),
  joined: timestamp({ withTimezone: true, precision: 6 }).notNull(),
  seen: timestamp({ mode: 'string', precision: 6 }),
  born: date(),
  bornAt: date({ mode: 'date' }),
  wakes: time(),
  span: interval(),
  photo: bytea(),
  prefs: jsonb().$type<object>(),
  labels: text().array(),
  grades: numeric().array(),
  moments: timestamp().array(),
  token: uuid(),
});

const posts = pgTable('drizzle_posts', {
  id: serial().primaryKey(),
  title: varchar({ length: 20 }).notNull(),
  views: integer().default(0),
  authorId: integer()
    .notNull()
    .references(() => users.id),
});

const missing = pgTable('drizzle_missing', { id: integer() });

export const schema = {
  users,
  posts,
  usersRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
  postsRelations: relations(posts, ({ one }) => ({
    author: one(users, { fields: [posts.authorId], references: [users.id] }),
  })),
};

type Db = NodePgDatabase<typeof schema>;

export const tables: readonly string[] = [
  'DROP TABLE IF EXISTS drizzle_posts, drizzle_users',
  'CREATE TABLE drizzle_users (id serial PRIMARY KEY, email text NOT NULL UNIQUE, name text, active boolean DEFAULT true, visits bigint DEFAULT 0, clicks bigint DEFAULT 0, score float8, balance numeric(20, 4), joined timestamptz(6) NOT NULL, seen timestamp(6), born date, "bornAt" date, wakes time, span interval, photo bytea, prefs jsonb, labels text[], grades numeric[], moments timestamp[], token uuid)',
  'CREATE TABLE drizzle_posts (id serial PRIMARY KEY, title varchar(20) NOT NULL, views int DEFAULT 0, "authorId" int NOT NULL REFERENCES drizzle_users (id))',
];

const joined = new Date('2026-03-29T01:30:15.250Z');

export const steps: readonly Step<Db>[] = [
  (db) => db.insert(users).values({ email: 'ada', name: 'Ada', joined }),
  (db) =>
    db
      .insert(users)
      .values({
        email: 'bob',
        joined,
        active: false,
        visits: 9_007_199_254_740_993n,
        clicks: 42,
        score: 0.1 + 0.2,
        balance: '12345678901.2345',
        seen: '2026-01-02 03:04:05.678901',
        born: '2000-02-29',
        bornAt: new Date('1999-12-31'),
        wakes: '06:30:00',
        span: '1 day 02:03:04.5',
        photo: Buffer.from([0, 255, 39, 92]),
        prefs: { tags: ['a', 1, null] },
        labels: ['a b', 'c"d', ''],
        grades: ['1.50', '2'],
        moments: [joined],
        token: '0e37df36-f698-11e6-8dd4-cb9ced3df976',
      })
      .returning(),
  (db) =>
    db
      .insert(posts)
      .values([
        { title: 'First', authorId: 1 },
        { title: 'Second', authorId: 2, views: 7 },
      ])
      .returning({ id: posts.id, shout: sql<string>`upper(${posts.title})` }),
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
      .prepare('by_email');
    return Promise.all(['ada', 'bob', 'nobody'].map((email) => byEmail.execute({ email })));
  },
  (db) =>
    db
      .update(posts)
      .set({ views: sql`${posts.views} + 1` })
      .where(eq(posts.id, 1)),
  (db) =>
    db.update(users).set({ name: 'Bob' }).where(eq(users.id, 2)).returning({ name: users.name }),
  (db) =>
    db
      .insert(users)
      .values({ email: 'ada', joined })
      .onConflictDoUpdate({ target: users.email, set: { name: 'Countess' } })
      .returning({ id: users.id, name: users.name }),
  (db) => db.insert(users).values({ email: 'ada', joined }).onConflictDoNothing(),
  (db) => db.execute(sql`select 1 as one, now() is null as no, ${{ a: 1 }}::jsonb as doc`),
  (db) =>
    db.execute(
      sql`select timestamptz '2026-01-02 03:04:05.678901Z' as at, date '2026-01-02' as day, interval '1 day' as span, 1.5::numeric as n, 9007199254740993 as big, '(1,2)'::point as p, '{1.5}'::numeric[] as ns`,
    ),
  (db) => db.execute(sql`select ${joined}::text as moment, ${['a', 'b']} as list`),
  (db) => db.execute(sql`delete from drizzle_posts where false`),
  // What goes wrong.
  (db) => db.insert(users).values({ email: 'ada', joined }),
  (db) => db.insert(posts).values({ title: 'Lost', authorId: 4711 }),
  (db) => db.insert(posts).values({ title: 'longer than twenty letters', authorId: 1 }),
  (db) => db.delete(users).where(eq(users.id, 2)),
  (db) => db.select().from(missing),
  (db) => db.execute(sql`selec 1`),
  // Transactions.
  (db) =>
    db.transaction(
      async (tx) => {
        await tx.update(users).set({ name: 'Kept' }).where(eq(users.id, 1));
        return tx.execute(sql`show transaction_isolation`);
      },
      { isolationLevel: 'serializable', accessMode: 'read write', deferrable: true },
    ),
  (db) =>
    db.transaction((tx) => tx.insert(posts).values({ title: 'No', authorId: 1 }), {
      accessMode: 'read only',
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
  (db) =>
    db.transaction(async (tx) => {
      await tx.setTransaction({ isolationLevel: 'repeatable read' });
      return tx.query.posts.findMany({ orderBy: posts.id });
    }),
  (db) => db.delete(posts).where(eq(posts.title, 'Deep')).returning(),
  (db) => db.select().from(posts).orderBy(posts.id),
];
