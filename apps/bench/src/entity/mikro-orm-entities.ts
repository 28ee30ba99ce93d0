import { randomUUIDv7 } from 'node:crypto';
import { defineEntity, MikroORM, p } from '@mikro-orm/core';
import { MySqlDriver } from '@mikro-orm/mysql';
import { PostgreSqlDriver } from '@mikro-orm/postgresql';
import { POOL } from '../contender.ts';
import {
  type EntityContender,
  type EntityPlace,
  type Person,
  plainUrl,
} from './entity-contender.ts';

/** As people write it: a unit of work, written out by `flush` in a transaction. */
export async function mikroOrmFlush(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const { orm, people } = await open(place, opened);
  return {
    table: place.table,
    name: 'MikroORM flush',
    history: 'nothing',
    async save(person) {
      const em = orm.em.fork();
      const made = em.create(people, values(person));
      await em.flush();
      return made.id;
    },
    async change(id, visits) {
      const em = orm.em.fork();
      const found = await em.findOne(people, id);
      if (!found) return NaN;
      found.visits = visits;
      await em.flush();
      return found.visits;
    },
    get: (id) => orm.em.fork().findOne(people, id),
    find: (city) => orm.em.fork().find(people, { city }, { orderBy: { id: 'asc' }, limit: 100 }),
    async saveMany(list) {
      const em = orm.em.fork();
      for (const person of list) em.create(people, values(person));
      await em.flush();
    },
  };
}

/** At its best: no unit of work, no identity map. */
export async function mikroOrmNative(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const { orm, people } = await open(place, opened);
  const plain = { disableIdentityMap: true } as const;
  return {
    table: place.table,
    name: 'MikroORM native',
    history: 'nothing',
    save: async (person) => orm.em.fork().insert(people, nativeValues(person)),
    async change(id, visits) {
      const em = orm.em.fork();
      const found = await em.findOne(people, id, plain);
      if (!found) return NaN;
      await em.nativeUpdate(
        people,
        { id },
        {
          visits,
          version: found.version + 1,
          updated_at: new Date(),
        },
      );
      return visits;
    },
    get: (id) => orm.em.fork().findOne(people, id, plain),
    find: (city) =>
      orm.em.fork().find(people, { city }, { orderBy: { id: 'asc' }, limit: 100, ...plain }),
    saveMany: (list) =>
      orm.em.fork().transactional(async (em) => {
        for (let at = 0; at < list.length; at += CHUNK) {
          await em.insertMany(people, list.slice(at, at + CHUNK).map(nativeValues));
        }
      }),
  };
}

/** PostgreSQL takes 65,535 values in a statement. */
const CHUNK = 2_000;

async function open(place: EntityPlace, opened: AsyncDisposableStack) {
  const { engine, table } = place;
  const people = defineEntity({
    name: table,
    tableName: table,
    properties: {
      id: p.string().primary(),
      version: p.bigint('number').version(),
      created_at: p.datetime().onCreate(() => new Date()),
      updated_at: p
        .datetime()
        .onCreate(() => new Date())
        .onUpdate(() => new Date()),
      deleted_at: p.datetime().nullable(),
      created_by: p.string().nullable(),
      updated_by: p.string().nullable(),
      version_operation: p.string(),
      version_comment: p.text().nullable(),
      name: p.text(),
      email: p.text(),
      city: p.text(),
      visits: p.float(),
      active: p.boolean(),
      seen: p.datetime(),
      tags: p.json<string[]>(),
    },
    filters: { living: { name: 'living', cond: { deleted_at: null }, default: true } },
  });
  const orm = await MikroORM.init({
    entities: [people],
    // Both have the calls that are used here.
    driver: (engine === 'postgres' ? PostgreSqlDriver : MySqlDriver) as typeof PostgreSqlDriver,
    clientUrl: plainUrl(place),
    pool: { min: 0, max: POOL },
  });
  opened.defer(() => orm.close());
  return { orm, people };
}

function values(person: Person) {
  return { ...person, tags: [...person.tags], id: randomUUIDv7(), version_operation: 'create' };
}

/** Without a unit of work nothing sets the moments. */
function nativeValues(person: Person) {
  const now = new Date();
  return { ...values(person), version: 1, created_at: now, updated_at: now };
}
