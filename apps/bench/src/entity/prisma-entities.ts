import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaPg } from '@prisma/adapter-pg';
import { POOL } from '../contender.ts';
import type { EntityContender, EntityPlace, Found, Person } from './entity-contender.ts';
import { generatePrisma } from './generate-prisma.ts';

export async function prismaEntities(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const { PrismaClient } = (await generatePrisma(schemaOf(place), opened)) as Generated;
  const prisma = new PrismaClient({ adapter: adapterOf(place) });
  opened.defer(() => prisma.$disconnect());
  const people = prisma.person;
  return {
    table: place.table,
    name: 'Prisma',
    history: 'nothing',
    save: async (person) => (await people.create({ data: values(person) })).id,
    async change(id, visits) {
      const found = await people.findUnique({ where: { id } });
      if (!found) return NaN;
      const data = { visits, version: { increment: 1 } };
      return (await people.update({ where: { id }, data })).visits;
    },
    get: (id) => people.findUnique({ where: { id } }),
    find: (city) =>
      people.findMany({ where: { city, deleted_at: null }, orderBy: { id: 'asc' }, take: 100 }),
    saveMany: (list) => people.createMany({ data: list.map(values) }),
  };
}

function adapterOf({ engine, url }: EntityPlace): PrismaPg | PrismaMariaDb {
  if (engine === 'postgres') return new PrismaPg({ connectionString: url, max: POOL });
  const { hostname, password, pathname, port, username } = new URL(url);
  return new PrismaMariaDb({
    host: hostname,
    port: Number(port),
    user: username,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    connectionLimit: POOL,
    allowPublicKeyRetrieval: true,
  });
}

function schemaOf({ engine, table }: EntityPlace): string {
  const provider = engine === 'postgres' ? 'postgresql' : 'mysql';
  const moment = engine === 'postgres' ? '@db.Timestamptz' : '@db.DateTime(6)';
  return `
datasource db {
  provider = "${provider}"
}

model Person {
  id                String    @id @default(uuid(7))
  version           BigInt    @default(1)
  created_at        DateTime  @default(now()) ${moment}
  updated_at        DateTime  @updatedAt ${moment}
  deleted_at        DateTime? ${moment}
  created_by        String?
  updated_by        String?
  version_operation String    @default("create")
  version_comment   String?
  name              String
  email             String
  city              String
  visits            Float
  active            Boolean
  seen              DateTime  ${moment}
  tags              Json

  @@map("${table}")
}
`;
}

/** What is used here of the client, which is made while the program runs. */
interface Generated {
  readonly PrismaClient: new (options: { readonly adapter: PrismaPg | PrismaMariaDb }) => {
    readonly person: People;
    $disconnect(): Promise<void>;
  };
}

interface People {
  create(query: { data: Values }): Promise<Found>;
  createMany(query: { data: Values[] }): Promise<unknown>;
  findUnique(query: { where: { id: string } }): Promise<Found | null>;
  findMany(query: {
    where: { city: string; deleted_at: null };
    orderBy: { id: 'asc' };
    take: number;
  }): Promise<Found[]>;
  update(query: {
    where: { id: string };
    data: { visits: number; version: { increment: number } };
  }): Promise<Found>;
}

type Values = Omit<Person, 'tags'> & { readonly tags: string[] };

function values(person: Person): Values {
  return { ...person, tags: [...person.tags] };
}
