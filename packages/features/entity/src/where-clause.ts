import { ConfigError, isSql, sql, type Sql, suggest, wrongOption } from '@dal/core';
import { type Clause, compare, kindOfField } from './compare-field.ts';
import type { EngineWords } from './engine-words.ts';
import type { Fragment, Operator, Where } from './verb-options.ts';
import { shown } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';

/** A condition as the query builder has it. */
export interface Condition {
  readonly field: string;
  readonly operator: string;
  readonly value: unknown;
}

const OPERATORS: readonly Operator[] = [
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
];

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
      operator as Operator,
      value,
    );
    texts.push(one.text);
    values.push(...one.values);
  }
  return { text: texts.join(' AND '), values };
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

function readFragment(where: readonly unknown[]): Fragment {
  const [text, values] = where;
  if (typeof text !== 'string' || where.length > 2) throw wrongWhere(where);
  if (values !== undefined && !Array.isArray(values)) throw wrongWhere(where);
  return where as unknown as Fragment;
}

function wrongWhere(where: unknown): ConfigError {
  return wrongOption(
    'where',
    'an object such as { city: "Oslo" }, sql`...`, or [text, values]',
    where,
  );
}
