import { ConfigError, isSql, sql, type Sql, suggest, wrongOption } from '@dal/core';
import type { EngineWords } from './engine-words.ts';
import type { Direction, Fragment, OrderBy, Where } from './entity-manager.ts';
import { EntityTypeError } from './entity-errors.ts';
import { shown, unknownField } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import { encode } from './field-values.ts';
import type { FieldKind } from './field-kind.ts';
import { SYSTEM_COLUMNS } from './system-columns.ts';

/** A condition as the query builder has it. */
export interface Condition {
  readonly field: string;
  readonly operator: string;
  readonly value: unknown;
}

/** SQL with `?` and its values. */
export interface Clause {
  readonly text: string;
  readonly values: readonly unknown[];
}

const OPERATORS = [
  '=',
  '!=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'not in',
  'like',
  'not like',
  'is',
  'is not',
] as const;

type Word = (typeof OPERATORS)[number];

/** @throws ConfigError when it is neither an object of conditions nor SQL */
export function readWhere(where: Where | Fragment | undefined): readonly Condition[] | Fragment {
  if (where === undefined) return [];
  if (isSql(where)) return where;
  if (Array.isArray(where)) return readFragment(where);
  if (typeof where !== 'object' || where === null) throw wrongWhere(where);
  return Object.entries(where).flatMap(([field, value]) => conditionsOn(field, value));
}

export function isFragment(where: readonly Condition[] | Fragment): where is Fragment {
  return isSql(where) || typeof where[0] === 'string';
}

/** @throws ConfigError with the likely right one; also for what is no text */
export function readOperator(operator: unknown): string {
  const word = typeof operator === 'string' ? operator.trim().toLowerCase() : undefined;
  if (word !== undefined && (OPERATORS as readonly string[]).includes(word)) return word;
  const likely = word === undefined ? undefined : suggest(word, OPERATORS);
  const advice = likely === undefined ? '' : ` Did you mean "${likely}"?`;
  throw new ConfigError(
    `There is no operator ${typeof operator === 'string' ? shown(operator) : `of type ${typeof operator}`}.${advice} There are: ${OPERATORS.join(', ')}. Nothing was sent.`,
    { kind: 'usage', code: 'DAL_ENTITY_OPERATOR' },
  );
}

/** @throws EntityFieldError, EntityTypeError; names are quoted, and values never reach the text */
export function conditionsClause(
  words: EngineWords,
  type: EntityType,
  conditions: readonly Condition[],
): Clause {
  const texts: string[] = [];
  const values: unknown[] = [];
  for (const { field, operator, value } of conditions) {
    const kind = kindOfField(type, field);
    const one = compare(
      words.quote(field),
      { type: type.name, field, kind },
      operator as Word,
      value,
    );
    texts.push(one.text);
    values.push(...one.values);
  }
  return { text: texts.join(' AND '), values };
}

/** `[field, direction]`, in order. @throws ConfigError for what is neither */
export function readOrder(
  orderBy: OrderBy | undefined,
): readonly (readonly [string, 'ASC' | 'DESC'])[] {
  if (orderBy === undefined) return [];
  if (typeof orderBy === 'string') return [[orderBy, 'ASC']];
  if (!Array.isArray(orderBy))
    throw wrongOption('orderBy', 'a field, [field, direction], or a list of both', orderBy);
  const list = orderBy as readonly unknown[];
  const [first, second] = list;
  const isPair = list.length === 2 && typeof first === 'string' && isDirection(second);
  return (isPair ? [list] : list).map((one) => {
    if (typeof one === 'string') return [one, 'ASC'];
    if (Array.isArray(one) && typeof one[0] === 'string' && one.length <= 2) {
      return [one[0], readDirection(one[1])];
    }
    throw wrongOption('orderBy', 'a field, [field, direction], or a list of both', one);
  });
}

/** @throws ConfigError */
export function readDirection(direction: unknown): 'ASC' | 'DESC' {
  if (direction === undefined) return 'ASC';
  if (isDirection(direction)) return direction.toUpperCase() as 'ASC' | 'DESC';
  throw new ConfigError('The direction of orderBy is "asc" or "desc". Nothing was sent.', {
    kind: 'usage',
    code: 'DAL_ENTITY_DIRECTION',
  });
}

/** ` ORDER BY ...`; the id decides between equals, so that pages have no overlap. */
export function orderClause(
  { quote, dialect }: EngineWords,
  type: EntityType,
  order: readonly (readonly [string, 'ASC' | 'DESC'])[],
): string {
  const terms = order.map(([field, direction]) => {
    kindOfField(type, field);
    const nulls = direction === 'ASC' ? dialect.nullOrder?.first : dialect.nullOrder?.last;
    return `${quote(field)} ${direction}${field === 'id' ? '' : (nulls ?? '')}`;
  });
  if (!order.some(([field]) => field === 'id')) {
    terms.push(`${quote('id')} ${order.at(-1)?.[1] ?? 'ASC'}`);
  }
  return ` ORDER BY ${terms.join(', ')}`;
}

/** The caller's SQL between what stands in front and behind. */
export function aroundFragment(before: string, fragment: Fragment, behind: Clause): Clause | Sql {
  if (isSql(fragment)) {
    const pieces = behind.text.split('?');
    const tail = pieces.map((piece, index) =>
      index < behind.values.length ? sql`${sql.raw(piece)}${behind.values[index]}` : sql.raw(piece),
    );
    return sql`${sql.raw(before)}${fragment}${sql.join(tail, sql``)}`;
  }
  const [text, values = []] = fragment;
  return { text: before + text + behind.text, values: [...values, ...behind.values] };
}

interface Compared {
  readonly type: string;
  readonly field: string;
  readonly kind: FieldKind;
}

function conditionsOn(field: string, value: unknown): Condition[] {
  if (!isConditions(value)) {
    return [{ field, operator: Array.isArray(value) ? 'in' : '=', value }];
  }
  const all = Object.entries(value);
  if (all.length === 0) {
    throw new ConfigError(
      `The condition on ${shown(field)} is an object without an operator, such as { ">": 1 }. Nothing was sent.`,
      { kind: 'usage', code: 'DAL_ENTITY_WHERE' },
    );
  }
  return all.map(([operator, operand]) => ({
    field,
    operator: readOperator(operator),
    value: operand,
  }));
}

function isConditions(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  );
}

function kindOfField(type: EntityType, field: string): FieldKind {
  const kind = type.kindOf(field);
  if (kind !== undefined) return kind;
  throw unknownField(field, type.name, [...type.fields.keys(), ...SYSTEM_COLUMNS]);
}

function compare(column: string, at: Compared, operator: Word, value: unknown): Clause {
  switch (operator) {
    case 'in':
    case 'not in':
      return compareList(column, at, operator === 'in', value);
    case 'like':
    case 'not like':
      if (at.kind !== 'text') throw refused(at, `is not of text, which "${operator}" is for`);
      if (typeof value === 'string' && /(?<!\\)(?:\\\\)*\\$/.test(value)) {
        throw refused(at, 'is compared with a pattern that ends in a "\\" with nothing behind it');
      }
      // Without a word of its own SQLite knows no escape.
      return {
        text: `${column} ${operator.toUpperCase()} ? ESCAPE ?`,
        values: [encode('text', value, at), '\\'],
      };
    case '=':
    case 'is':
      if (value === null) return { text: `${column} IS NULL`, values: [] };
      return { text: `${column} = ?`, values: [comparable(at, value)] };
    case '!=':
    case '<>':
    case 'is not':
      if (value === null) return { text: `${column} IS NOT NULL`, values: [] };
      return { text: `(${column} <> ? OR ${column} IS NULL)`, values: [comparable(at, value)] };
    default:
      if (value === null) throw refused(at, `can't be compared with null by "${operator}"`);
      return { text: `${column} ${operator} ?`, values: [comparable(at, value)] };
  }
}

function compareList(column: string, at: Compared, isIn: boolean, value: unknown): Clause {
  if (!Array.isArray(value)) throw refused(at, 'needs a list for "in" and "not in"');
  const list = (value as readonly unknown[]).filter((one) => one !== null);
  const values = list.map((one) => comparable(at, one));
  const hasNull = list.length < value.length;
  const marks = values.map(() => '?').join(', ');
  if (isIn) {
    if (values.length === 0) return { text: hasNull ? `${column} IS NULL` : '1 = 0', values };
    const text = `${column} IN (${marks})`;
    return { text: hasNull ? `(${text} OR ${column} IS NULL)` : text, values };
  }
  if (values.length === 0) return { text: hasNull ? `${column} IS NOT NULL` : '1 = 1', values };
  const text = `${column} NOT IN (${marks})`;
  return {
    text: hasNull ? `(${text} AND ${column} IS NOT NULL)` : `(${text} OR ${column} IS NULL)`,
    values,
  };
}

function comparable(at: Compared, value: unknown): unknown {
  if (at.kind === 'json') {
    throw refused(
      at,
      'has lists and objects, which engines compare by rules of their own; use SQL',
    );
  }
  if (value === undefined) throw refused(at, 'is compared with undefined; null means none');
  return encode(at.kind, value, at);
}

function readFragment(where: readonly unknown[]): Fragment {
  const [text, values] = where;
  if (typeof text !== 'string' || where.length > 2) throw wrongWhere(where);
  if (values !== undefined && !Array.isArray(values)) throw wrongWhere(where);
  return where as unknown as Fragment;
}

function isDirection(value: unknown): value is Direction {
  return typeof value === 'string' && /^(?:asc|desc)$/i.test(value);
}

function wrongWhere(where: unknown): ConfigError {
  return wrongOption(
    'where',
    'an object such as { city: "Oslo" }, sql`...`, or [text, values]',
    where,
  );
}

function refused({ type, field }: Compared, why: string): EntityTypeError {
  return new EntityTypeError(
    `The field ${shown(field)} of ${shown(type)} ${why}. Nothing was sent.`,
    {
      kind: 'usage',
      code: 'DAL_ENTITY_TYPE',
    },
  );
}
