import type { PrismaClient } from './models.ts';

/** What a program of Prisma sees, step by step; the same with every adapter. */
export async function scenario(prisma: PrismaClient, provider: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  const note = async (work: () => Promise<unknown>): Promise<void> => {
    seen.push(await work().catch(shown));
  };
  for (const step of [...steps, ...(own[provider] ?? [])]) await note(() => step(prisma));
  return seen;
}

type Step = (prisma: PrismaClient) => Promise<unknown>;

const joined = new Date('2026-03-29T01:30:15.250Z');

const steps: readonly Step[] = [
  ({ user }) => user['create']!({ data: { email: 'ada@example.com', name: 'Ada', joined } }),
  ({ user }) =>
    user['create']!({
      data: {
        email: 'bob@example.com',
        joined: new Date('1969-12-31T23:59:59.999Z'),
        active: false,
        visits: 9_007_199_254_740_993n,
        score: 0.1 + 0.2,
        balance: '12345678901.2345',
        photo: Uint8Array.from([0, 255, 39, 92]),
        prefs: { tags: ['a', 1, null], deep: { at: true } },
        posts: { create: [{ title: 'First' }, { title: 'Second', views: 7 }] },
      },
      include: { posts: true },
    }),
  ({ user }) =>
    user['createMany']!({ data: [3, 4, 5].map((n) => ({ email: `${n}@example.com`, joined })) }),
  ({ user }) => user['findMany']!({ orderBy: { id: 'asc' } }),
  ({ user }) =>
    user['findUnique']!({ where: { email: 'bob@example.com' }, include: { posts: true } }),
  ({ user }) =>
    user['findMany']!({
      where: { OR: [{ visits: { gt: 5 } }, { name: { contains: 'da' } }], joined: { lte: joined } },
      select: { email: true, _count: { select: { posts: true } } },
      orderBy: { email: 'desc' },
    }),
  ({ user }) =>
    user['findMany']!({ where: { posts: { some: { views: 7 } } }, select: { id: true } }),
  ({ user }) => user['findFirst']!({ where: { email: 'nobody' } }),
  ({ user }) => user['findUniqueOrThrow']!({ where: { email: 'nobody' } }),
  ({ user }) => user['count']!({ where: { active: true } }),
  ({ user }) =>
    user['aggregate']!({ _sum: { visits: true, balance: true }, _avg: { score: true } }),
  ({ user }) => user['groupBy']!({ by: ['active'], _count: true, orderBy: { active: 'asc' } }),
  ({ user }) =>
    user['update']!({
      where: { email: 'ada@example.com' },
      data: { visits: { increment: 3 }, posts: { create: { title: 'Third' } } },
    }),
  ({ user }) => user['updateMany']!({ where: { name: null }, data: { score: 2 } }),
  ({ user }) =>
    user['upsert']!({
      where: { email: 'ada@example.com' },
      create: { email: 'ada@example.com', joined },
      update: { name: 'Countess' },
    }),
  ({ user }) =>
    user['upsert']!({
      where: { email: 'eve@example.com' },
      create: { email: 'eve@example.com', joined },
      update: { name: 'Nobody' },
    }),
  ({ user }) => user['delete']!({ where: { email: '3@example.com' } }),
  ({ user }) => user['deleteMany']!({ where: { email: { startsWith: '4' } } }),
  ({ post }) => post['findMany']!({ include: { author: true }, orderBy: { title: 'asc' } }),
  // What goes wrong.
  ({ user }) => user['create']!({ data: { email: 'ada@example.com', joined } }),
  ({ post }) => post['create']!({ data: { title: 'Lost', authorId: 4711 } }),
  ({ post }) => post['createMany']!({ data: [{ title: 'First', authorId: 2 }] }),
  ({ user }) => user['delete']!({ where: { email: 'bob@example.com' } }),
  ({ user }) => user['delete']!({ where: { email: 'nobody' } }),
  ({ missing }) => missing['findMany']!(),
  (prisma) => prisma.$queryRaw`SELECT nothing_here FROM prisma_posts`,
  (prisma) => prisma.$queryRaw`SELEC 1`,
  // By hand.
  (prisma) =>
    prisma.$queryRaw`SELECT id, email, name, active, visits, score, balance, joined, photo, prefs FROM prisma_users ORDER BY id`,
  (prisma) => prisma.$queryRaw`SELECT title FROM prisma_posts WHERE views = ${7}`,
  (prisma) => prisma.$queryRaw`SELECT 1 AS one, 1.5 AS half, 'x' AS text, NULL AS none`,
  (prisma) => prisma.$queryRaw`SELECT count(*) AS n, max(score) AS top FROM prisma_users`,
  (prisma) => prisma.$executeRaw`UPDATE prisma_posts SET views = views + ${1}`,
  // Transactions.
  (prisma) => prisma.$transaction([prisma.user['count']!(), prisma.post['count']!()]),
  (prisma) =>
    prisma.$transaction(
      async (tx) => {
        await tx.user['update']!({ where: { id: 1 }, data: { name: 'Changed' } });
        return tx.user['findUnique']!({ where: { id: 1 } });
      },
      { isolationLevel: 'Serializable' },
    ),
  (prisma) =>
    prisma.$transaction(async (tx) => {
      await tx.post['deleteMany']!();
      throw new Error('undone');
    }),
  (prisma) =>
    prisma.$transaction(async (tx) => {
      await tx.post['update']!({ where: { id: 1 }, data: { views: 100 } });
      await tx.user['create']!({ data: { email: 'ada@example.com', joined } });
    }),
  ({ post }) => post['findMany']!({ orderBy: { id: 'asc' } }),
  (prisma) =>
    prisma.$transaction(async (tx) => tx.user['count']!(), { isolationLevel: 'ReadUncommitted' }),
];

const own: Readonly<Record<string, readonly Step[]>> = {
  postgresql: [
    ({ user }) =>
      user['create']!({
        data: {
          email: 'lists@example.com',
          joined,
          role: 'WRITER',
          labels: ['a b', 'c"d', ''],
          seen: [joined, new Date(0)],
          token: '0e37df36-f698-11e6-8dd4-cb9ced3df976',
          born: new Date('2000-02-29'),
          wakes: new Date('1970-01-01T06:30:00Z'),
        },
      }),
    ({ user }) => user['findMany']!({ where: { labels: { has: 'a b' }, role: 'WRITER' } }),
    ({ post }) => post['create']!({ data: { title: 'longer than twenty letters', authorId: 1 } }),
    (prisma) =>
      prisma.$queryRaw`SELECT role, labels, seen, token, born, wakes FROM prisma_users WHERE role = 'WRITER'`,
    (prisma) =>
      prisma.$queryRaw`SELECT '12.34'::money AS price, '12:00:00+02'::timetz AS at, '{"a": 1.10}'::json AS doc, ARRAY[1.50, NULL]::numeric[] AS sums, 9::oid AS o, 'NaN'::float8 AS nan, ARRAY['\\x01'::bytea] AS bytes, '1.2.3.4'::inet AS ip, ARRAY[9007199254740993] AS big, '{"[1,2]"}'::json[] AS docs`,
    (prisma) => prisma.$queryRaw`SELECT point(1, 2)`,
    (prisma) => prisma.$queryRaw`SELECT pg_sleep(0)`,
    (prisma) => prisma.$queryRaw`SELECT 'x'::int`,
    (prisma) => prisma.$queryRaw`SELECT 1 / 0`,
  ],
  mysql: [
    ({ user }) =>
      user['create']!({
        data: {
          email: 'days@example.com',
          joined,
          born: new Date('2000-02-29'),
          wakes: new Date('1970-01-01T06:30:00Z'),
        },
      }),
    (prisma) => prisma.$queryRaw`SELECT born, wakes FROM prisma_users WHERE born IS NOT NULL`,
    ({ post }) => post['create']!({ data: { title: 'longer than twenty letters', authorId: 1 } }),
    (prisma) =>
      prisma.$queryRaw`SELECT CAST(5 AS UNSIGNED) AS positive, CAST('2026-01-02 03:04:05.678' AS DATETIME(3)) AS at, CAST(1.5 AS DECIMAL(5,2)) AS price, CAST('x' AS BINARY) AS bytes, b'101' AS bits, YEAR('2026-01-02') AS y`,
  ],
  sqlite: [
    (prisma) =>
      prisma.$queryRaw`SELECT 9007199254740993 AS big, 2.0 AS two, x'00ff' = x'00ff' AS same`,
  ],
};

/** What a program can tell of an error. */
function shown(error: unknown): unknown {
  const { name, code, message, meta } = error as {
    name: string;
    code?: string;
    message: string;
    meta?: Record<string, unknown>;
  };
  const { driverAdapterError, ...rest } = meta ?? {};
  const { cause } = (driverAdapterError ?? {}) as { cause?: object };
  // Where it was called stands in the message as well.
  return { name, code, message: message.split('\n').at(-1), meta: rest, cause };
}
