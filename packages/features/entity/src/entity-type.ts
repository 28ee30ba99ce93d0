import type { Row } from '@dal/core';
import type { EngineWords } from './engine-words.ts';
import type { EntitySchema } from './entity.ts';
import { historyTableOf } from './entity-names.ts';
import { decode } from './field-values.ts';
import type { FieldKind } from './field-kind.ts';
import { isSystemColumn, SYSTEM_COLUMNS } from './system-columns.ts';

/** How many texts are kept for each type; programs save few combinations of fields. */
const MAX_TEXTS = 100;

/** One type as it was when it was read; a new one is made when it has grown. */
export class EntityType {
  readonly name: string;
  /** By name, in the order of the names. */
  readonly fields: ReadonlyMap<string, FieldKind>;
  readonly indexes: readonly (readonly string[])[];
  /** Quoted. */
  readonly table: string;
  /** Quoted. */
  readonly historyTable: string;
  /** Every column, quoted, with commas between. */
  readonly columns: string;
  /** Columns that somebody has added by hand: seen, and none of ours. */
  readonly foreign: Set<string> = new Set<string>();
  readonly #texts = new Map<string, string>();

  constructor(
    name: string,
    fields: ReadonlyMap<string, FieldKind>,
    indexes: readonly (readonly string[])[],
    words: EngineWords,
  ) {
    this.name = name;
    this.fields = fields;
    this.indexes = indexes;
    this.table = words.quote(name);
    this.historyTable = words.quote(historyTableOf(name));
    this.columns = [...SYSTEM_COLUMNS, ...fields.keys()].map(words.quote).join(', ');
  }

  /** A text that depends on nothing but the type and the key. */
  text(key: string, make: () => string): string {
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const text = make();
    if (this.#texts.size >= MAX_TEXTS) this.#texts.clear();
    this.#texts.set(key, text);
    return text;
  }

  kindOf(field: string): FieldKind | undefined {
    return this.fields.get(field) ?? systemKind(field);
  }

  /** False when the row has a column that this type does not know: it has grown since. */
  knows(row: Row): boolean {
    for (const column in row) {
      if (this.fields.has(column) || isSystemColumn(column) || this.foreign.has(column)) continue;
      return false;
    }
    return true;
  }

  /** The entity that a whole row is. */
  entity(row: Row): Row {
    const entity = systemFields(row);
    for (const [field, kind] of this.fields) put(entity, field, decode(kind, row[field]));
    return entity;
  }

  versionOf(row: Row): Row {
    const version = this.entity(row);
    version['version_operation'] = row['version_operation'];
    version['version_comment'] = row['version_comment'] ?? null;
    return version;
  }

  get schema(): EntitySchema {
    return {
      name: this.name,
      table: this.name,
      historyTable: historyTableOf(this.name),
      fields: [...this.fields].map(([name, kind]) => ({ name, kind })),
      indexes: this.indexes,
    };
  }
}

function systemFields(row: Row): Row {
  return {
    id: row['id'],
    version: Number(row['version']),
    created_at: decode('timestamp', row['created_at']),
    updated_at: decode('timestamp', row['updated_at']),
    deleted_at: decode('timestamp', row['deleted_at']),
    created_by: row['created_by'] ?? null,
    updated_by: row['updated_by'] ?? null,
  };
}

/** `__proto__` is a name like any other. */
export function put(entity: Row, field: string, value: unknown): void {
  if (field !== '__proto__') entity[field] = value;
  else {
    Object.defineProperty(entity, field, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

function systemKind(field: string): FieldKind | undefined {
  if (!isSystemColumn(field)) return undefined;
  if (field === 'version') return 'number';
  return field.endsWith('_at') ? 'timestamp' : 'text';
}
