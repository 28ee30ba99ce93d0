import type { Database } from '@dal/core';
import { createEntityManager } from '@dal/entity';
import { openDatabase, placeOf } from '../engine-stage.ts';
import {
  type EntityContender,
  type EntityEngine,
  idOf,
  type OpenEntityContender,
  people,
  PEOPLE,
  person,
} from './entity-contender.ts';

/** A server with a table for everybody, all of one shape and with the same people. */
export interface EntityStage extends AsyncDisposable {
  readonly versions: string;
  /** For what is not measured. */
  readonly db: Database;
  readonly contenders: readonly EntityContender[];
}

export async function openEntityStage(
  engine: EntityEngine,
  openers: readonly OpenEntityContender[],
): Promise<EntityStage> {
  await using opening = new AsyncDisposableStack();
  const url = await placeOf(engine, opening);
  const db = opening.use(openDatabase(engine, url));
  const contenders: EntityContender[] = [];
  for (const [at, open] of openers.entries()) {
    const table = `dal_bench_${process.pid}_people${at}`;
    opening.defer(() => dropPeople(db, table));
    await makePeople(db, table);
    contenders.push(await open({ engine, url, table }, opening));
  }
  const { serverVersion, driver, driverVersion } = await db.version();
  const opened = opening.move();
  return {
    versions: `${engine} ${serverVersion}, ${driver} ${driverVersion}`,
    db,
    contenders,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** DAL makes the tables of the others too: so they have the same columns, key and index. */
async function makePeople(db: Database, table: string): Promise<void> {
  const em = createEntityManager(db, { types: { [table]: { indexes: ['city'] } } });
  await em.prepare(table, person(1));
  // What some leave to the server: TypeORM the moments, MikroORM the version.
  for (const [column, value] of Object.entries(DEFAULTS)) {
    await db.execute(`ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT ${value}`);
  }
  await em.saveMany(
    table,
    people(PEOPLE).map((one, at) => ({ id: idOf(at + 1), ...one })),
  );
  await db.analyzeTable(table);
}

const DEFAULTS = {
  version: '1',
  created_at: '(CURRENT_TIMESTAMP(6))',
  updated_at: '(CURRENT_TIMESTAMP(6))',
} as const;

async function dropPeople(db: Database, table: string): Promise<void> {
  await db.execute(`DROP TABLE IF EXISTS ${table}`);
  await db.execute(`DROP TABLE IF EXISTS ${table}_history`);
  await db.execute('DELETE FROM dal_entity_fields WHERE entity_type = ?', [table]);
}
