/** The schema of the tests; PostgreSQL has lists and enums besides. */
export function schemaFor(provider: string): string {
  const isPostgres = provider === 'postgresql';
  const native = (type: string): string => (provider === 'sqlite' ? '' : `@db.${type}`);
  return `
datasource db {
  provider = "${provider}"
}

model User {
  id      Int      @id @default(autoincrement())
  email   String   @unique ${provider === 'mysql' ? '@db.VarChar(100)' : ''}
  name    String?
  active  Boolean  @default(true)
  visits  BigInt   @default(0)
  score   Float    @default(0.5)
  balance Decimal  @default(0) ${native('Decimal(20, 4)')}
  joined  DateTime ${isPostgres ? '@db.Timestamptz(6)' : provider === 'mysql' ? '@db.DateTime(6)' : ''}
  photo   Bytes?
  prefs   Json?
  ${isPostgres ? 'role Role @default(READER)\n  labels String[]\n  seen DateTime[] @db.Timestamp(3)\n  token String? @db.Uuid' : ''}
  ${provider === 'sqlite' ? '' : 'born DateTime? @db.Date\n  wakes DateTime? @db.Time(0)'}
  posts   Post[]
  @@map("prisma_users")
}

model Post {
  id       Int    @id @default(autoincrement())
  title    String ${provider === 'mysql' ? '@db.VarChar(20)' : isPostgres ? '@db.VarChar(20)' : ''}
  views    Int    @default(0)
  authorId Int
  author   User   @relation(fields: [authorId], references: [id])
  @@unique([authorId, title])
  @@map("prisma_posts")
}

model Missing {
  id Int @id
  @@map("prisma_missing")
}
${isPostgres ? 'enum Role {\n  READER\n  WRITER\n  @@map("prisma_role")\n}' : ''}`;
}

export const tables: Readonly<Record<string, readonly string[]>> = {
  postgresql: [
    'DROP TABLE IF EXISTS prisma_posts, prisma_users',
    'DROP TYPE IF EXISTS prisma_role',
    `CREATE TYPE prisma_role AS ENUM ('READER', 'WRITER')`,
    `CREATE TABLE prisma_users (id serial PRIMARY KEY, email text NOT NULL, name text, active boolean NOT NULL DEFAULT true, visits bigint NOT NULL DEFAULT 0, score float8 NOT NULL DEFAULT 0.5, balance numeric(20, 4) NOT NULL DEFAULT 0, joined timestamptz(6) NOT NULL, photo bytea, prefs jsonb, role prisma_role NOT NULL DEFAULT 'READER', labels text[], seen timestamp(3)[], token uuid, born date, wakes time(0))`,
    'CREATE UNIQUE INDEX prisma_users_email_key ON prisma_users (email)',
    'CREATE TABLE prisma_posts (id serial PRIMARY KEY, title varchar(20) NOT NULL, views int NOT NULL DEFAULT 0, "authorId" int NOT NULL REFERENCES prisma_users (id), UNIQUE ("authorId", title))',
  ],
  mysql: [
    'DROP TABLE IF EXISTS prisma_posts, prisma_users',
    'CREATE TABLE prisma_users (id int AUTO_INCREMENT PRIMARY KEY, email varchar(100) NOT NULL, name varchar(191), active boolean NOT NULL DEFAULT true, visits bigint NOT NULL DEFAULT 0, score double NOT NULL DEFAULT 0.5, balance decimal(20, 4) NOT NULL DEFAULT 0, joined datetime(6) NOT NULL, photo longblob, prefs json, born date, wakes time, UNIQUE INDEX prisma_users_email_key (email))',
    'CREATE TABLE prisma_posts (id int AUTO_INCREMENT PRIMARY KEY, title varchar(20) NOT NULL, views int NOT NULL DEFAULT 0, authorId int NOT NULL, UNIQUE INDEX prisma_posts_authorId_title_key (authorId, title), FOREIGN KEY (authorId) REFERENCES prisma_users (id))',
  ],
  sqlite: [
    'DROP TABLE IF EXISTS prisma_posts',
    'DROP TABLE IF EXISTS prisma_users',
    'CREATE TABLE prisma_users (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL, name TEXT, active BOOLEAN NOT NULL DEFAULT true, visits BIGINT NOT NULL DEFAULT 0, score REAL NOT NULL DEFAULT 0.5, balance DECIMAL NOT NULL DEFAULT 0, joined DATETIME NOT NULL, photo BLOB, prefs JSONB)',
    'CREATE UNIQUE INDEX prisma_users_email_key ON prisma_users (email)',
    'CREATE TABLE prisma_posts (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, views INTEGER NOT NULL DEFAULT 0, authorId INTEGER NOT NULL REFERENCES prisma_users (id))',
    'CREATE UNIQUE INDEX prisma_posts_authorId_title_key ON prisma_posts (authorId, title)',
  ],
};

/** The client is made while the tests run, so its types are not known before. */
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type Model = Record<string, (args?: object) => Promise<any>>;

type Raw = (text: TemplateStringsArray, ...values: unknown[]) => Promise<Record<string, unknown>[]>;

export interface PrismaClient {
  readonly user: Model;
  readonly post: Model;
  readonly missing: Model;
  readonly $queryRaw: Raw;
  readonly $executeRaw: (text: TemplateStringsArray, ...values: unknown[]) => Promise<number>;
  readonly $queryRawUnsafe: (
    text: string,
    ...values: unknown[]
  ) => Promise<Record<string, unknown>[]>;
  readonly $executeRawUnsafe: (text: string, ...values: unknown[]) => Promise<number>;
  $transaction<T>(work: (tx: PrismaClient) => Promise<T>, options?: object): Promise<T>;
  $transaction(work: readonly Promise<unknown>[], options?: object): Promise<unknown[]>;
  $disconnect(): Promise<void>;
}
