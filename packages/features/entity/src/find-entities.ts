import { channels, type Row, type Sql } from '@dal/core';
import { holdsSomething } from '@dal/database';
import type {
  CallOptions,
  CountOptions,
  FindOptions,
  Fragment,
  ReadOptions,
} from './verb-options.ts';
import type { Clause } from './compare-field.ts';
import { checkId, checkTypeName } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import { orderClause, readOrder } from './order-clause.ts';
import { readCount } from './read-history.ts';
import { readType, typeOfRows } from './read-types.ts';
import { CallLimits, type Scene } from './scene.ts';
import { typeToRead, withFreshType } from './type-for.ts';
import {
  aroundFragment,
  type Condition,
  conditionsClause,
  isFragment,
  readWhere,
} from './where-clause.ts';
import { rowsOf, type Work } from './work.ts';

const READ_OPTIONS: readonly string[] = ['includeDeleted', 'raw'];
/** SQL has no OFFSET without LIMIT everywhere; the most that every engine takes. */
const NO_LIMIT = 9_223_372_036_854_775_807n;

export function* getEntity(
  scene: Scene,
  name: string,
  id: string,
  options: ReadOptions = {},
  lock = '',
): Work<Row | undefined> {
  const limits = new CallLimits('get', options, READ_OPTIONS);
  checkTypeName(name, scene.words);
  checkId(id, name);
  return yield* withFreshType(scene, name, NO_KINDS, limits, function* () {
    const type = yield* typeToRead(scene, name, limits);
    if (!type) return undefined;
    const rows = yield* rowsOfId(scene, type, id, lock, limits);
    const [row] = rows;
    if (!row || (row['deleted_at'] !== null && !options.includeDeleted)) return undefined;
    return (yield* read(scene, type, rows, options, limits))[0];
  });
}

/** One row or none. */
function* rowsOfId(
  { gets, words }: Scene,
  type: EntityType,
  id: string,
  lock: string,
  limits: CallLimits,
): Work<Row[]> {
  const key = words.quote('id');
  if (gets && lock === '' && limits.areNone && mayShare()) {
    const row = yield { do: 'settle', value: gets.row(type, key, id) };
    return row === undefined ? [] : [row as Row];
  }
  const text = type.text(`get${lock}`, () => `SELECT * FROM ${type.table} WHERE ${key} = ?${lock}`);
  return yield* rowsOf({ text, values: [id] }, limits.question);
}

/**
 * A statement that calls share belongs to one of them. So whoever listens is told of each by itself,
 * and who holds a connection while it waits for another one waits by itself, where the pool can see
 * that it may never end.
 */
function mayShare(): boolean {
  return !channels.query.hasSubscribers && !holdsSomething();
}

export function* getEntityBy(
  scene: Scene,
  name: string,
  field: string,
  value: unknown,
  options: ReadOptions = {},
): Work<Row | undefined> {
  const limits = new CallLimits('getBy', options, READ_OPTIONS);
  const conditions = [{ field, operator: '=', value }];
  return (yield* select(scene, name, { conditions, limit: 1 }, options, limits))[0];
}

export function* findEntities(scene: Scene, name: string, options: FindOptions = {}): Work<Row[]> {
  const limits = new CallLimits('find', options, [
    'where',
    'orderBy',
    'limit',
    'offset',
    ...READ_OPTIONS,
  ]);
  const question: Question = {
    conditions: readWhere(options.where),
    order: readOrder(options.orderBy),
    limit: readCount('limit', options.limit),
    offset: readCount('offset', options.offset),
  };
  return yield* select(scene, name, question, options, limits);
}

export function* countEntities(
  scene: Scene,
  name: string,
  options: CountOptions = {},
): Work<number> {
  const limits = new CallLimits('count', options, ['where', 'includeDeleted']);
  const conditions = readWhere(options.where);
  return yield* countWhere(scene, name, conditions, options.includeDeleted === true, limits);
}

export function* countWhere(
  scene: Scene,
  name: string,
  conditions: readonly Condition[] | Fragment,
  includeDeleted: boolean,
  limits: CallLimits,
): Work<number> {
  checkTypeName(name, scene.words);
  return yield* withFreshType(scene, name, NO_KINDS, limits, function* () {
    const type = yield* typeThatHas(scene, name, { conditions }, limits);
    if (!type) return 0;
    const head = `SELECT count(*) AS ${scene.words.quote('count')} FROM ${type.table}`;
    const statement = restrict(scene, type, head, conditions, includeDeleted, NOTHING);
    const [row] = yield* rowsOf(statement, limits.question);
    return Number(row?.['count']);
  });
}

export function* entityExists(
  scene: Scene,
  name: string,
  id: string,
  options: CallOptions & { readonly includeDeleted?: boolean } = {},
): Work<boolean> {
  const limits = new CallLimits('exists', options, ['includeDeleted']);
  checkId(id, name);
  const conditions = [{ field: 'id', operator: '=', value: id }];
  const includeDeleted = options.includeDeleted === true;
  return (yield* countWhere(scene, name, conditions, includeDeleted, limits)) > 0;
}

/** What is asked for, its words checked. */
export interface Question {
  readonly conditions: readonly Condition[] | Fragment;
  readonly order?: readonly (readonly [string, 'ASC' | 'DESC'])[];
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

export function* select(
  scene: Scene,
  name: string,
  question: Question,
  options: Pick<ReadOptions, 'includeDeleted' | 'raw'>,
  limits: CallLimits,
): Work<Row[]> {
  checkTypeName(name, scene.words);
  return yield* withFreshType(scene, name, NO_KINDS, limits, function* () {
    const type = yield* typeThatHas(scene, name, question, limits);
    if (!type) return [];
    const { conditions, order = [] } = question;
    const tail: Clause = {
      text: orderClause(scene.words, type, order) + paging(question).text,
      values: paging(question).values,
    };
    const head = `SELECT * FROM ${type.table}`;
    const all = options.includeDeleted === true;
    const rows = yield* rowsOf(restrict(scene, type, head, conditions, all, tail), limits.question);
    return yield* read(scene, type, rows, options, limits);
  });
}

const NO_KINDS: ReadonlyMap<string, never> = new Map<string, never>();
const NOTHING: Clause = { text: '', values: [] };

/** The type; read anew when a field that is asked for is not known, for another process may have made it. */
function* typeThatHas(
  scene: Scene,
  name: string,
  { conditions, order = [] }: Question,
  limits: CallLimits,
): Work<EntityType | undefined> {
  const type = yield* typeToRead(scene, name, limits);
  if (!type) return undefined;
  const asked = [
    ...(isFragment(conditions) ? [] : conditions.map(({ field }) => field)),
    ...order.map(([field]) => field),
  ];
  if (asked.every((field) => type.kindOf(field))) return type;
  return yield* readType(scene, name, limits);
}

function restrict(
  { words }: Scene,
  type: EntityType,
  head: string,
  conditions: readonly Condition[] | Fragment,
  includeDeleted: boolean,
  tail: Clause,
): Clause | Sql {
  const living = includeDeleted ? '' : `${words.quote('deleted_at')} IS NULL`;
  if (isFragment(conditions)) {
    // On a line of its own, so that a comment at the end of it takes nothing along.
    const behind = `\n)${living && ` AND ${living}`}${tail.text}`;
    return aroundFragment(`${head} WHERE (`, conditions, { text: behind, values: tail.values });
  }
  const clause = conditionsClause(words, type, conditions);
  const all = [clause.text, living].filter((text) => text !== '').join(' AND ');
  return {
    text: `${head}${all && ` WHERE ${all}`}${tail.text}`,
    values: [...clause.values, ...tail.values],
  };
}

function paging({ limit, offset }: Question): Clause {
  if (limit === undefined && !offset) return NOTHING;
  if (!offset) return { text: ' LIMIT ?', values: [limit] };
  return { text: ' LIMIT ? OFFSET ?', values: [limit ?? NO_LIMIT, offset] };
}

function* read(
  scene: Scene,
  type: EntityType,
  rows: Row[],
  { raw }: Pick<ReadOptions, 'raw'>,
  limits: CallLimits,
): Work<Row[]> {
  if (raw) return rows;
  const current = yield* typeOfRows(scene, type, rows, limits);
  return rows.map((row) => current.entity(row));
}
