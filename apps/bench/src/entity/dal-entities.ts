import { createEntityManager } from '@dal/entity';
import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { POOL } from '../contender.ts';
import type { EntityContender, EntityPlace, Person } from './entity-contender.ts';

export function dalEntities(place: EntityPlace, opened: AsyncDisposableStack): EntityContender {
  const { table } = place;
  const em = createEntityManager(opened.use(open(place)));
  return {
    ...dalWrites(em, table),
    name: 'DAL',
    history: 'itself',
    get: (id) => em.get<Person>(table, id),
    find: (city) => em.find<Person>(table, { where: { city }, limit: 100 }),
  };
}

export function dalWithoutHistory(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): EntityContender {
  const em = createEntityManager(opened.use(open(place)), { history: 'off' });
  return { ...dalWrites(em, place.table), name: 'DAL, history off', history: 'nothing' };
}

/** The other clients encrypt nothing unless told to, and TLS isn't what is compared here. */
function open({ engine, url }: EntityPlace): Database {
  const options = { url, tls: 'disable', pool: { max: POOL } } as const;
  return engine === 'postgres' ? postgres(options) : mysql(options);
}

function dalWrites(
  em: ReturnType<typeof createEntityManager>,
  table: string,
): Pick<EntityContender, 'table' | 'save' | 'change' | 'saveMany'> {
  return {
    table,
    save: async (person) => (await em.save(table, person)).id,
    async change(id, visits) {
      const found = await em.get<Person>(table, id);
      if (!found) return NaN;
      return (await em.save(table, { ...found, visits })).visits;
    },
    saveMany: (people) => em.saveMany(table, people),
  };
}
