import { eq, gt, relations, sql } from 'drizzle-orm';
import {
  type BaseSQLiteDatabase,
  blob,
  integer,
  numeric,
  real,
  sqliteTable,
  text,
} from 'drizzle-orm/sqlite-core';
import type { Step } from './scenario.ts';

const users = sqliteTable('drizzle_users', {
  id: integer().primaryKey({ autoIncrement: true }),
  email: text().notNull().unique(),
  name: text(),
  active: integer({ mode: 'boolean' }).default(true),
  joined: integer({ mode: 'timestamp_ms' }).notNull(),
  born: integer({ mode: 'timestamp' }),
  score: real(),
  balance: numeric(),
  visits: blob({ mode: 'bigint' }),
  photo: blob({ mode: 'buffer' }),
  prefs: text({ mode: 'json' }).$type<object>(),
});

const posts = sqliteTable('drizzle_posts', {
  id: integer().primaryKey({ autoIncrement: true }),
  title: text().notNull(),
  views: integer().default(0),
  authorId: integer()
    .notNull()
    .references(() => users.id),
});

const missing = sqliteTable('drizzle_missing', { id: integer() });

export const schema = {
  users,
  posts,
  usersRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
  postsRelations: relations(posts, ({ one }) => ({
    author: one(users, { fields: [posts.authorId], references: [users.id] }),
  })),
};

export const tables: readonly string[] = [
  'DROP TABLE IF EXISTS drizzle_posts',
  'DROP TABLE IF EXISTS drizzle_users',
  'CREATE TABLE drizzle_users (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, email text NOT NULL UNIQUE, name text, active integer DEFAULT true, joined integer NOT NULL, born integer, score real, balance numeric, visits blob, photo blob, prefs text)',
  'CREATE TABLE drizzle_posts (id integer PRIMARY KEY AUTOINCREMENT NOT NULL, title text NOT NULL, views integer DEFAULT 0, authorId integer NOT NULL REFERENCES drizzle_users (id))',
];

/** What better-sqlite3 answers at once, the layer answers later; here both are awaited. */
type Db = BaseSQLiteDatabase<'async', unknown, typeof schema>;

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
        born: new Date('2000-02-29'),
        score: 0.1 + 0.2,
        balance: '12345678901.2345',
        visits: 9_007_199_254_740_993n,
        photo: Buffer.from([0, 255, 39, 92]),
        prefs: { tags: ['a', 1, null] },
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
  (db) => db.select().from(users).orderBy(users.id).get(),
  (db) => db.select().from(users).where(eq(users.id, 99)).get(),
  (db) => db.select().from(posts).values(),
  (db) => db.select({ n: sql`count(*)`, top: sql<number>`max(${posts.views})` }).from(posts),
  (db) => db.select().from(users).leftJoin(posts, eq(posts.authorId, users.id)).orderBy(users.id),
  (db) => db.query.users.findMany({ with: { posts: true }, orderBy: users.id }),
  (db) => db.query.users.findFirst({ where: eq(users.email, 'nobody') }),
  (db) =>
    db.query.posts.findFirst({ with: { author: { columns: { joined: true, prefs: true } } } }),
  (db) => db.$count(users, gt(users.score, 0.1)),
  (db) => {
    const byEmail = db
      .select()
      .from(users)
      .where(eq(users.email, sql.placeholder('email')))
      .prepare();
    return Promise.all(['ada', 'bob', 'nobody'].map((email) => byEmail.all({ email })));
  },
  (db) =>
    db
      .update(posts)
      .set({ views: sql`${posts.views} + 1` })
      .where(eq(posts.id, 1)),
  (db) =>
    db
      .insert(users)
      .values({ email: 'ada', joined })
      .onConflictDoUpdate({ target: users.email, set: { name: 'Countess' } })
      .returning({ id: users.id, name: users.name }),
  (db) => db.all(sql`select 1 as one, 1.5 as half, null as none, x'00ff' as bytes`),
  (db) => db.get(sql`select ${'bound'} as word, ${2} as two`),
  (db) => db.values(sql`select 1, 'x'`),
  (db) => db.run(sql`update drizzle_posts set views = 9 where id = 2`),
  // What goes wrong.
  (db) => db.insert(users).values({ email: 'ada', joined }),
  (db) => db.insert(posts).values({ title: 'Lost', authorId: 4711 }),
  (db) => db.delete(users).where(eq(users.id, 2)),
  (db) => db.select().from(missing),
];

/** Only awaited: the transactions of better-sqlite3 take no promises. */
export const transactions: readonly Step<Db>[] = [
  (db) =>
    db.transaction(
      async (tx) => {
        await tx.update(users).set({ name: 'Kept' }).where(eq(users.id, 1));
        return tx.query.users.findFirst({ columns: { name: true } });
      },
      { behavior: 'immediate' },
    ),
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
        .catch((error: Error) => error.cause);
      await tx.transaction((nested) => nested.insert(posts).values({ title: 'Deep', authorId: 1 }));
      return inner;
    }),
  (db) => db.select({ title: posts.title }).from(posts).orderBy(posts.id),
];
