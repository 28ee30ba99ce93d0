import { PrismaPg } from '@prisma/adapter-pg';
import { POOL } from '../contender.ts';
import type { EntityContender, Found, Person } from './entity-contender.ts';
import { generatePrisma } from './generate-prisma.ts';

export async function prismaEntities(
  table: string,
  url: string,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const { PrismaClient } = (await generatePrisma(modelOf(table), opened)) as Generated;
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: POOL }) });
  opened.defer(() => prisma.$disconnect());
  const people = prisma.person;
  return {
    table,
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

function modelOf(table: string): string {
  return `
model Person {
  id                String    @id @default(uuid(7))
  version           BigInt    @default(1)
  created_at        DateTime  @default(now()) @db.Timestamptz
  updated_at        DateTime  @updatedAt @db.Timestamptz
  deleted_at        DateTime? @db.Timestamptz
  created_by        String?
  updated_by        String?
  version_operation String    @default("create")
  version_comment   String?
  name              String
  email             String
  city              String
  visits            Float
  active            Boolean
  seen              DateTime  @db.Timestamptz
  tags              Json

  @@map("${table}")
}
`;
}

/** What is used here of the client, which is made while the program runs. */
interface Generated {
  readonly PrismaClient: new (options: { readonly adapter: PrismaPg }) => {
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
