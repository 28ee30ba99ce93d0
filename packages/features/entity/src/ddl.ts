import { createHash } from 'node:crypto';
import type { EngineWords } from './engine-words.ts';
import { FIELDS_TABLE, historyTableOf } from './entity-names.ts';
import type { EntityType } from './entity-type.ts';
import type { FieldKind, Fields } from './field-kind.ts';
import { systemDefinitions } from './system-columns.ts';

export function createFieldsTable({ quote, keyType, columnType }: EngineWords): string {
  const keys = ['entity_type', 'part', 'name'].map(quote);
  const columns = keys.map((key) => `${key} ${keyType} NOT NULL`);
  return `CREATE TABLE IF NOT EXISTS ${quote(FIELDS_TABLE)} (${columns.join(', ')}, ${quote('kind')} ${columnType('text')}, PRIMARY KEY (${keys.join(', ')}))`;
}

/** The table of the entities, or that of their older versions. */
export function createTable(
  words: EngineWords,
  type: string,
  which: 'current' | 'history',
  fields: ReadonlyMap<string, FieldKind>,
): string {
  const { quote, columnType } = words;
  const name = which === 'current' ? type : historyTableOf(type);
  const columns = [
    ...systemDefinitions(words),
    ...[...fields].map(([field, kind]) => `${quote(field)} ${columnType(kind)}`),
  ];
  const key = which === 'current' ? [quote('id')] : [quote('id'), quote('version')];
  return `CREATE TABLE IF NOT EXISTS ${quote(name)} (${columns.join(', ')}, PRIMARY KEY (${key.join(', ')}))`;
}

export function addColumn(
  { quote, columnType }: EngineWords,
  table: string,
  field: string,
  kind: FieldKind,
): string {
  return `ALTER TABLE ${quote(table)} ADD COLUMN ${quote(field)} ${columnType(kind)}`;
}

export function createIndex(
  { quote, dialect }: EngineWords,
  type: string,
  fields: readonly string[],
  kinds: ReadonlyMap<string, FieldKind>,
): string {
  const columns = fields.map((field) => {
    const isText = kinds.get(field) === 'text';
    const length = isText && dialect.indexedText ? `(${dialect.indexedText})` : '';
    return `${quote(field)}${length}${dialect.nullOrder?.first ?? ''}`;
  });
  // The id behind them gives the order in which entities are found. MySQL has it in every index.
  if (!dialect.indexedText && !fields.includes('id')) columns.push(quote('id'));
  return `CREATE INDEX ${quote(indexName(type, fields))} ON ${quote(type)} (${columns.join(', ')})`;
}

/** Short enough for every engine, and another one for every list of fields. */
function indexName(type: string, fields: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([type, ...fields]));
  return `dal_ix_${hash.digest('hex').slice(0, 24)}`;
}

/** One row of the table of fields. */
export interface FieldRow {
  readonly part: 'type' | 'field' | 'index';
  readonly name: string;
  readonly kind: string;
}

/** What is to be written down of a type and its fields, as far as it isn't yet. */
export function missingRows(wanted: Fields, known: EntityType | undefined): FieldRow[] {
  // In one order everywhere, so that two who write down the same ones don't lock each other.
  const fields = [...wanted]
    .filter(([field]) => !known?.fields.has(field))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...(known ? [] : [{ part: 'type' as const, name: '', kind: 'entity' }]),
    ...fields.map(([field, kind]) => ({ part: 'field' as const, name: field, kind })),
  ];
}

export function indexRow(type: string, fields: readonly string[]): FieldRow {
  return { part: 'index', name: indexName(type, fields), kind: JSON.stringify(fields) };
}

/** Rows that are there stay as they are, where the engine has words for it. */
export function insertFieldRow(words: EngineWords): string {
  const { quote, upsert } = words;
  const table = quote(FIELDS_TABLE);
  const keys = ['entity_type', 'part', 'name'].map(quote);
  const kind = quote('kind');
  const behind = upsert && `${upsert.change(keys)}${kind} = ${table}.${kind}`;
  return `INSERT INTO ${table} (${keys.join(', ')}, ${kind}) VALUES (?, ?, ?, ?)${behind ?? ''}`;
}

/** The same as text that a person can run. */
export function shownFieldRow(words: EngineWords, type: string, row: FieldRow): string {
  const values = [type, row.part, row.name, row.kind].map(words.literal);
  let next = 0;
  return insertFieldRow(words).replaceAll('?', () => values[next++] ?? '');
}
