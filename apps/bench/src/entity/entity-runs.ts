import { deepStrictEqual, equal } from 'node:assert/strict';
import { type Database, type Row, sql } from '@dal/core';
import type { Calls } from '../slice.ts';
import {
  cityOf,
  type EntityContender,
  IN_CITY,
  idOf,
  people,
  PEOPLE,
  type Person,
  person,
} from './entity-contender.ts';

export const ENTITY_TASKS = ['save', 'change', 'get', 'find'] as const;

export type EntityTask = (typeof ENTITY_TASKS)[number];

/** One verb of one contender, and how it is seen that it does what it says. */
export interface EntityRun extends Calls {
  /** The whole answer, and what another session finds afterwards; before anything is measured. */
  readonly checkFirst: () => Promise<void>;
  /** Every change that was answered is there. */
  readonly checkLast: () => Promise<void>;
}

/** Undefined when the contender has no way of its own for it. */
export function entityRun(
  task: EntityTask,
  contender: EntityContender,
  db: Database,
): EntityRun | undefined {
  if (task === 'save') return saveRun(contender, db);
  if (task === 'change') return changeRun(contender, db);
  return task === 'get' ? getRun(contender) : findRun(contender);
}

function saveRun({ name, save, table }: EntityContender, db: Database): EntityRun {
  let made = 0;
  const given = `id LIKE 'person-%'`;
  return {
    call: () => save(person(++made)),
    isRight: (id) => typeof id === 'string' && id !== '',
    async checkFirst() {
      const id = await save(person(++made));
      const [row] = await db.query(`SELECT * FROM ${table} WHERE id = ?`, [id]);
      checkRow(`${name} (save)`, row, person(made), 1);
    },
    async checkLast() {
      const found = await db.queryValue(`SELECT COUNT(*) FROM ${table} WHERE NOT ${given}`);
      equal(Number(found), made, `${name} was told of ${made} saves`);
      await db.execute(`DELETE FROM ${table} WHERE NOT ${given}`);
    },
  };
}

function changeRun({ name, change, history, table }: EntityContender, db: Database): EntityRun {
  let changes = 0;
  const call = (turn: number): Promise<number> => {
    changes++;
    return change(idOf((turn % PEOPLE) + 1), turn);
  };
  const historyTable = sql.id(history === 'itself' ? `${table}_history` : `${table}Histories`);
  return {
    call,
    isRight: (visits, turn) => visits === turn,
    async checkFirst() {
      await call(PEOPLE + 1);
      const [row] = await db.query(`SELECT * FROM ${table} WHERE id = ?`, [idOf(2)]);
      checkRow(`${name} (change)`, row, { ...person(2), visits: PEOPLE + 1 }, 2);
    },
    async checkLast() {
      const versions = await db.queryValue(`SELECT SUM(version) FROM ${table}`);
      equal(Number(versions), PEOPLE + changes, `${name} was told of ${changes} changes`);
      if (history === 'nothing') return;
      const kept = await db.queryValue(sql`SELECT COUNT(*) FROM ${historyTable}`);
      equal(Number(kept), changes, `${name} kept as many versions`);
    },
  };
}

function getRun({ name, get }: EntityContender): EntityRun | undefined {
  if (!get) return undefined;
  return {
    call: (turn) => get(idOf((turn % PEOPLE) + 1)),
    isRight: (found, turn) => (found as Row | undefined)?.['id'] === idOf((turn % PEOPLE) + 1),
    async checkFirst() {
      checkRow(`${name} (get)`, await get(idOf(PEOPLE)), person(PEOPLE), 1);
    },
    checkLast: () => Promise.resolve(),
  };
}

function findRun({ name, find }: EntityContender): EntityRun | undefined {
  if (!find) return undefined;
  return {
    call: (turn) => find(cityOf(turn)),
    isRight: (list, turn) =>
      Array.isArray(list) &&
      list.length === IN_CITY &&
      (list[IN_CITY - 1] as Row)['city'] === cityOf(turn),
    async checkFirst() {
      const found = await find(cityOf(3));
      const wanted = people(PEOPLE).flatMap((one, at) => (one.city === cityOf(3) ? [at + 1] : []));
      deepStrictEqual(
        found.map(({ id }) => id),
        wanted.map(idOf),
        `${name} (find)`,
      );
      for (const [at, row] of found.entries()) {
        checkRow(`${name} (find)`, row, person(wanted[at]!), 1);
      }
    },
    checkLast: () => Promise.resolve(),
  };
}

/** Libraries may have classes of their own for entities. */
function checkRow(
  who: string,
  row: object | null | undefined,
  wanted: Person,
  version: number,
): void {
  const found = { ...row } as Row;
  const fields = Object.keys(wanted).map((field) => [field, found[field]]);
  deepStrictEqual(Object.fromEntries(fields), wanted, who);
  equal(Number(found['version']), version, `${who}: version`);
  for (const moment of ['created_at', 'updated_at']) {
    equal(found[moment] instanceof Date, true, `${who}: ${moment}`);
  }
  equal(found['deleted_at'], null, `${who}: deleted_at`);
}
