import { randomUUIDv7 } from 'node:crypto';
import { DataSource, EntitySchema, type Repository } from 'typeorm';
import { POOL } from '../contender.ts';
import {
  type EntityContender,
  type EntityPlace,
  type Found,
  type Person,
  plainUrl,
} from './entity-contender.ts';

interface PersonRow extends Found {
  visits: number;
}

/** As people write it: `save`, which looks first whether the entity is there. */
export async function typeormSave(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const people = await open(place, opened);
  return {
    table: place.table,
    name: 'TypeORM save',
    history: 'nothing',
    save: async (person) => (await people.save(made(person))).id,
    async change(id, visits) {
      const found = await people.findOneBy({ id });
      if (!found) return NaN;
      found.visits = visits;
      return (await people.save(found)).visits;
    },
    get: (id) => people.findOneBy({ id }),
    find: (city) => people.find({ where: { city }, order: { id: 'ASC' }, take: 100 }),
    saveMany: (list) => people.save(list.map(made), { chunk: CHUNK }),
  };
}

/** At its best: statements that look for nothing and load nothing. */
export async function typeormInsert(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const people = await open(place, opened);
  return {
    table: place.table,
    name: 'TypeORM insert, update',
    history: 'nothing',
    async save(person) {
      const row = made(person);
      await people.insert(row);
      return row.id;
    },
    async change(id, visits) {
      const found = await people.findOneBy({ id });
      if (!found) return NaN;
      await people.update(id, { visits });
      return visits;
    },
    saveMany: (list) =>
      people.manager.transaction(async (manager) => {
        for (let at = 0; at < list.length; at += CHUNK) {
          await manager.insert(people.target, list.slice(at, at + CHUNK).map(made));
        }
      }),
  };
}

/** PostgreSQL takes 65,535 values in a statement. */
const CHUNK = 2_000;

async function open(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): Promise<Repository<PersonRow>> {
  const { engine, table } = place;
  const moment = engine === 'postgres' ? ({ type: 'timestamptz' } as const) : DATETIME;
  const schema = new EntitySchema<PersonRow & SystemColumns>({
    name: table,
    tableName: table,
    columns: {
      id: { type: 'varchar', length: 255, primary: true },
      version: { type: 'bigint', version: true },
      created_at: { ...moment, createDate: true },
      updated_at: { ...moment, updateDate: true },
      deleted_at: { ...moment, deleteDate: true, nullable: true },
      created_by: { type: 'varchar', nullable: true },
      updated_by: { type: 'varchar', nullable: true },
      version_operation: { type: 'varchar' },
      version_comment: { type: 'text', nullable: true },
      name: { type: 'text' },
      email: { type: 'text' },
      city: { type: 'text' },
      visits: { type: engine === 'postgres' ? 'float8' : 'double' },
      active: { type: 'boolean' },
      seen: moment,
      tags: { type: engine === 'postgres' ? 'jsonb' : 'json' },
    },
  });
  const common = { url: plainUrl(place), entities: [schema], poolSize: POOL };
  const source = new DataSource(
    engine === 'postgres'
      ? { type: engine, ...common }
      : { type: engine, timezone: 'Z', ...common },
  );
  await source.initialize();
  opened.defer(() => source.destroy());
  return source.getRepository<PersonRow>(table);
}

const DATETIME = { type: 'datetime', precision: 6 } as const;

interface SystemColumns {
  version: string;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
  created_by: string | null;
  updated_by: string | null;
  version_operation: string;
  version_comment: string | null;
}

function made(person: Person) {
  return { ...person, tags: [...person.tags], id: randomUUIDv7(), version_operation: 'create' };
}
