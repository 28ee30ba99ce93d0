import { createEntityManager } from '@dal/entity';
import { postgres } from '@dal/postgres';
import { POOL } from '../contender.ts';
import type { EntityContender, Person } from './entity-contender.ts';

export function dalEntities(
  table: string,
  url: string,
  opened: AsyncDisposableStack,
): EntityContender {
  const db = opened.use(postgres({ url, tls: 'disable', pool: { max: POOL } }));
  const em = createEntityManager(db);
  return {
    ...dalWrites(em, table),
    name: 'DAL',
    history: 'itself',
    get: (id) => em.get<Person>(table, id),
    find: (city) => em.find<Person>(table, { where: { city }, limit: 100 }),
  };
}

export function dalWithoutHistory(
  table: string,
  url: string,
  opened: AsyncDisposableStack,
): EntityContender {
  const db = opened.use(postgres({ url, tls: 'disable', pool: { max: POOL } }));
  const em = createEntityManager(db, { history: 'off' });
  return { ...dalWrites(em, table), name: 'DAL, history off', history: 'nothing' };
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
