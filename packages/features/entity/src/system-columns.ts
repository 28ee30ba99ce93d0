import type { EngineWords } from './engine-words.ts';

/** The columns that every table of entities begins with; those with `version_` are shown in history alone. */
export const SYSTEM_COLUMNS = [
  'id',
  'version',
  'created_at',
  'updated_at',
  'deleted_at',
  'created_by',
  'updated_by',
  'version_operation',
  'version_comment',
] as const;

export type SystemColumn = (typeof SYSTEM_COLUMNS)[number];

const names: ReadonlySet<string> = new Set(SYSTEM_COLUMNS);

export function isSystemColumn(name: string): name is SystemColumn {
  return names.has(name);
}

/** `"id" VARCHAR(255) NOT NULL`, and so on. */
export function systemDefinitions({ dialect, keyType, columnType, quote }: EngineWords): string[] {
  const { bigint, timestamp } = dialect.types;
  const types: Readonly<Record<SystemColumn, string>> = {
    id: `${keyType} NOT NULL`,
    version: `${bigint} NOT NULL`,
    created_at: `${timestamp} NOT NULL`,
    updated_at: `${timestamp} NOT NULL`,
    deleted_at: timestamp,
    created_by: keyType,
    updated_by: keyType,
    version_operation: `${keyType} NOT NULL`,
    version_comment: columnType('text'),
  };
  return SYSTEM_COLUMNS.map((name) => `${quote(name)} ${types[name]}`);
}
