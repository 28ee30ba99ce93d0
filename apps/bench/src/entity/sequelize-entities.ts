import { randomUUIDv7 } from 'node:crypto';
import { createRequire } from 'node:module';
import { DataTypes, type Model, type ModelStatic, Sequelize } from 'sequelize';
import { POOL } from '../contender.ts';
import type { EntityContender, Found, Person } from './entity-contender.ts';

interface PersonModel extends Model {
  readonly id: string;
  visits: number;
}

export function sequelizeEntities(
  table: string,
  url: string,
  opened: AsyncDisposableStack,
): EntityContender {
  const { people } = open(table, url, opened);
  return {
    ...writes(people, table),
    name: 'Sequelize',
    history: 'nothing',
    // Plain objects, as the others answer them.
    get: async (id) => (await people.findByPk(id, { raw: true })) as Found | null,
    find: async (city) =>
      (await people.findAll({
        where: { city },
        order: ['id'],
        limit: 100,
        raw: true,
      })) as unknown as Found[],
  };
}

/** The plugin copies the version before into a table of its own, in a statement of its own. */
export async function sequelizeTemporal(
  table: string,
  url: string,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const { sequelize, people } = open(table, url, opened);
  type Temporal = (model: typeof people, sequelize: Sequelize) => typeof people;
  const temporal = createRequire(import.meta.url)('sequelize-temporal') as Temporal;
  temporal(people, sequelize);
  const history = sequelize.model(`${table}History`);
  await history.sync();
  opened.defer(async () => history.drop());
  return {
    ...writes(people, table),
    name: 'Sequelize with history',
    history: 'sequelize-temporal',
  };
}

function open(
  table: string,
  url: string,
  opened: AsyncDisposableStack,
): { readonly sequelize: Sequelize; readonly people: ModelStatic<PersonModel> } {
  const sequelize = new Sequelize(url, { logging: false, pool: { max: POOL } });
  opened.defer(() => sequelize.close());
  const people = sequelize.define<PersonModel>(
    table,
    {
      id: { type: DataTypes.STRING, primaryKey: true, defaultValue: () => randomUUIDv7() },
      created_by: DataTypes.STRING,
      updated_by: DataTypes.STRING,
      version_operation: { type: DataTypes.STRING, defaultValue: 'create' },
      version_comment: DataTypes.TEXT,
      name: DataTypes.TEXT,
      email: DataTypes.TEXT,
      city: DataTypes.TEXT,
      visits: DataTypes.DOUBLE,
      active: DataTypes.BOOLEAN,
      seen: DataTypes.DATE,
      tags: DataTypes.JSONB,
    },
    {
      tableName: table,
      version: 'version',
      paranoid: true,
      createdAt: 'created_at',
      updatedAt: 'updated_at',
      deletedAt: 'deleted_at',
    },
  );
  return { sequelize, people };
}

function writes(
  model: ModelStatic<PersonModel>,
  table: string,
): Pick<EntityContender, 'table' | 'save' | 'change' | 'saveMany'> {
  return {
    table,
    save: async (person) => (await model.create(values(person))).id,
    async change(id, visits) {
      const found = await model.findByPk(id);
      if (!found) return NaN;
      found.visits = visits;
      return (await found.save()).visits;
    },
    saveMany: (people) => model.bulkCreate(people.map(values)),
  };
}

function values(person: Person): Record<string, unknown> {
  return { ...person };
}
