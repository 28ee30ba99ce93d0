import type { Operator } from './verb-options.ts';
import { EntityTypeError } from './entity-errors.ts';
import { shown, unknownField } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import { encode } from './field-values.ts';
import type { FieldKind } from './field-kind.ts';
import { SYSTEM_COLUMNS } from './system-columns.ts';

/** SQL with `?` and its values. */
export interface Clause {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The field of a condition. */
export interface Compared {
  readonly type: string;
  readonly field: string;
  readonly kind: FieldKind;
}

/**
 * One condition as SQL.
 *
 * @param column quoted
 * @throws EntityTypeError for a value that can't be compared with the field
 */
export function compare(column: string, at: Compared, operator: Operator, value: unknown): Clause {
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

/** @throws EntityFieldError with the likely right name */
export function kindOfField(type: EntityType, field: string): FieldKind {
  const kind = type.kindOf(field);
  if (kind !== undefined) return kind;
  throw unknownField(field, type.name, [...type.fields.keys(), ...SYSTEM_COLUMNS]);
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

function refused({ type, field }: Compared, why: string): EntityTypeError {
  return new EntityTypeError(
    `The field ${shown(field)} of ${shown(type)} ${why}. Nothing was sent.`,
    {
      kind: 'usage',
      code: 'DAL_ENTITY_TYPE',
    },
  );
}
