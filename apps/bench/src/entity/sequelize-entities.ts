import { randomUUIDv7 } from 'node:crypto';
import { DataTypes, type Model, type ModelStatic, Sequelize } from 'sequelize';
import temporal from 'sequelize-temporal';
import { POOL } from '../contender.ts';
import {
  type EntityContender,
  type EntityPlace,
  type Found,
  type Person,
  plainUrl,
} from './entity-contender.ts';

interface PersonModel extends Model {
  readonly id: string;
  visits: number;
}

export function sequelizeEntities(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): EntityContender {
  const { people } = open(place, opened);
  // Faster, where the values of raw rows are the right ones: MySQL's booleans would be numbers.
  const raw = place.engine === 'postgres';
  const plain = (found: PersonModel) =>
    (raw ? found : found.get({ plain: true })) as unknown as Found;
  return {
    ...writes(people, place.table),
    name: 'Sequelize',
    history: 'nothing',
    async get(id) {
      const found = await people.findByPk(id, { raw });
      return found && plain(found);
    },
    async find(city) {
      const found = await people.findAll({ where: { city }, order: ['id'], limit: 100, raw });
      return found.map(plain);
    },
  };
}

/** The plugin copies the version before into a table of its own, in a statement of its own. */
export async function sequelizeTemporal(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): Promise<EntityContender> {
  const { sequelize, people } = open(place, opened);
  temporal(people, sequelize);
  const history = sequelize.model(`${place.table}History`);
  await history.sync();
  opened.defer(async () => history.drop());
  return {
    ...writes(people, place.table),
    name: 'Sequelize with history',
    history: 'sequelize-temporal',
  };
}

function open(
  place: EntityPlace,
  opened: AsyncDisposableStack,
): { readonly sequelize: Sequelize; readonly people: ModelStatic<PersonModel> } {
  const { engine, table } = place;
  const sequelize = new Sequelize(plainUrl(place), { logging: false, pool: { max: POOL } });
  opened.defer(() => sequelize.close());
  const people = sequelize.define<PersonModel>(
    table,
    {
      id: { type: DataTypes.STRING, primaryKey: true, defaultValue: () => randomUUIDv7() },
      version: { type: DataTypes.BIGINT, defaultValue: 1 },
      created_by: DataTypes.STRING,
      updated_by: DataTypes.STRING,
      version_operation: { type: DataTypes.STRING, defaultValue: 'create' },
      version_comment: DataTypes.TEXT,
      name: DataTypes.TEXT,
      email: DataTypes.TEXT,
      city: DataTypes.TEXT,
      visits: DataTypes.DOUBLE,
      active: DataTypes.BOOLEAN,
      seen: DataTypes.DATE(3),
      tags: engine === 'postgres' ? DataTypes.JSONB : DataTypes.JSON,
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
