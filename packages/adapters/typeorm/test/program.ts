import { type DataSource, EntitySchema, type QueryRunner } from 'typeorm';

interface User {
  id: number;
  email: string;
  name: string | null;
  active: boolean;
  visits: string;
  score: number | null;
  balance: string;
  joined: Date;
  prefs: object | null;
  photo: Buffer | null;
  posts: Post[];
}

interface Post {
  id: number;
  title: string;
  views: number;
  author: User;
}

/** Both tables, for the server of this type. */
export function entities(type: string): EntitySchema[] {
  const isPostgres = type === 'postgres';
  const User = new EntitySchema<User>({
    name: 'User',
    tableName: 'typeorm_users',
    columns: {
      id: { type: 'int', primary: true, generated: true },
      email: { type: 'varchar', length: 100, unique: true },
      name: { type: 'varchar', nullable: true },
      active: { type: 'boolean', default: true },
      visits: { type: 'bigint', default: 0 },
      score: { type: isPostgres ? 'float8' : 'double', nullable: true },
      balance: { type: 'decimal', precision: 20, scale: 4, default: 0 },
      joined: { type: isPostgres ? 'timestamptz' : 'datetime', precision: 3 },
      prefs: { type: 'json', nullable: true },
      photo: { type: isPostgres ? 'bytea' : 'blob', nullable: true },
    },
    relations: { posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author' } },
  });
  const Post = new EntitySchema<Post>({
    name: 'Post',
    tableName: 'typeorm_posts',
    columns: {
      id: { type: 'int', primary: true, generated: true },
      title: { type: 'varchar', length: 20 },
      views: { type: 'int', default: 0 },
    },
    relations: {
      author: { type: 'many-to-one', target: 'User', inverseSide: 'posts', nullable: false },
    },
  });
  return [User, Post] as EntitySchema[];
}

type Step = (source: DataSource) => unknown;

const joined = new Date('2026-03-29T11:30:15.250Z');

export const steps: readonly Step[] = [
  (source) => source.getRepository<User>('User').save({ email: 'ada', name: 'Ada', joined }),
  (source) =>
    source.getRepository<User>('User').save({
      email: 'bob',
      joined,
      active: false,
      visits: '9007199254740993',
      score: 0.1 + 0.2,
      balance: '12345678901.2345',
      prefs: { tags: ['a', 1, null] },
      photo: Buffer.from([0, 255, 39, 92]),
    }),
  async (source) => {
    const users = source.getRepository<User>('User');
    const author = await users.findOneByOrFail({ email: 'bob' });
    return source.getRepository<Post>('Post').insert([
      { title: 'First', author },
      { title: 'Second', views: 7, author },
    ]);
  },
  (source) => source.getRepository<User>('User').find({ order: { id: 'ASC' } }),
  (source) =>
    source.getRepository<User>('User').find({ relations: { posts: true }, order: { id: 'ASC' } }),
  (source) => source.getRepository<User>('User').findOneBy({ email: 'nobody' }),
  (source) => source.getRepository<User>('User').findAndCount({ where: { active: true } }),
  (source) =>
    source.getRepository<Post>('Post').update({ title: 'First' }, { views: () => 'views + 1' }),
  (source) =>
    source
      .getRepository<User>('User')
      .upsert([{ email: 'ada', name: 'Countess', joined }], ['email']),
  (source) => source.getRepository<Post>('Post').increment({ title: 'Second' }, 'views', 3),
  (source) => source.getRepository<Post>('Post').sum('views'),
  (source) =>
    source
      .createQueryBuilder<Post>('Post', 'post')
      .select('post.title', 'title')
      .addSelect('COUNT(*)', 'n')
      .where('post.views > :views', { views: 0 })
      .groupBy('post.title')
      .orderBy('post.title')
      .getRawMany(),
  (source) =>
    source
      .createQueryBuilder<Post>('Post', 'post')
      .innerJoinAndSelect('post.author', 'author')
      .orderBy('post.id')
      .take(1)
      .getMany(),
  async (source) => {
    const rows: unknown[] = [];
    const stream = await source
      .createQueryBuilder<Post>('Post', 'post')
      .orderBy('post.id')
      .stream();
    for await (const row of stream) rows.push(row);
    return rows;
  },
  (source) => source.query('SELECT id, title FROM typeorm_posts ORDER BY id'),
  (source) => source.query(`SELECT 1 AS one, 1.5 AS half, NULL AS nothing, 'x' AS word`),
  (source) => source.query(`UPDATE typeorm_posts SET views = 9 WHERE title = 'Second'`),
  // What goes wrong.
  (source) => source.getRepository<User>('User').insert({ email: 'ada', joined }),
  (source) =>
    source.getRepository<Post>('Post').insert({ title: 'Lost', author: { id: 4711 } as User }),
  (source) =>
    source
      .getRepository<Post>('Post')
      .insert({ title: 'longer than twenty letters', author: { id: 1 } as User }),
  (source) => source.query('SELECT * FROM typeorm_missing'),
  // Transactions.
  (source) =>
    source.transaction('SERIALIZABLE', async (manager) => {
      await manager.update('User', { email: 'ada' }, { name: 'Kept' });
      return manager.findOneBy('User', { email: 'ada' });
    }),
  (source) =>
    source.transaction(async (manager) => {
      await manager.deleteAll('Post');
      throw new Error('undone');
    }),
  (source) =>
    source.transaction(async (manager) => {
      const author = { id: 1 } as User;
      await manager.insert('Post', { title: 'Outer', author });
      await manager
        .transaction(async (nested) => {
          await nested.insert('Post', { title: 'Inner', author });
          throw new Error('only the inner one');
        })
        .catch(() => undefined);
      await manager.transaction((nested) => nested.insert('Post', { title: 'Deep', author }));
    }),
  async (source) => {
    const runner: QueryRunner = source.createQueryRunner();
    try {
      await runner.startTransaction('READ COMMITTED');
      await runner.query(`DELETE FROM typeorm_posts WHERE title = 'Deep'`);
      await runner.rollbackTransaction();
      await runner.startTransaction();
      await runner.query(`DELETE FROM typeorm_posts WHERE title = 'Outer'`);
      await runner.commitTransaction();
    } finally {
      await runner.release();
    }
  },
  (source) => source.getRepository<Post>('Post').delete({ title: 'Deep' }),
  (source) => source.getRepository<Post>('Post').find({ order: { id: 'ASC' } }),
];

/** What a program sees, step by step. */
export async function scenario(source: DataSource): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const step of steps) {
    // oxlint-disable-next-line no-await-in-loop -- each builds on the one before
    seen.push(shown(await Promise.resolve(source).then(step).catch(failure)));
  }
  return seen;
}

class Failure {
  readonly shown: unknown;
  constructor(error: Error & { code?: unknown; driverError?: Error }) {
    const { name, message, code, driverError } = error;
    this.shown = { name, message, code, driver: driverError?.message };
  }
}

const failure = (error: Error): Failure => new Failure(error);

/** In a form in which everything that differs is seen: classes too, but those of rows. */
function shown(value: unknown): unknown {
  if (value instanceof Failure) return value.shown;
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shown(part)]));
}
