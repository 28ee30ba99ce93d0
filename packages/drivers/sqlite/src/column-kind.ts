export type ColumnKind = 'boolean' | 'decimal' | 'timestamp' | 'json' | 'plain';

const kinds: Readonly<Record<string, ColumnKind>> = {
  BOOL: 'boolean',
  BOOLEAN: 'boolean',
  DECIMAL: 'decimal',
  DECIMAL_TEXT: 'decimal',
  NUMERIC: 'decimal',
  DATETIME: 'timestamp',
  TIMESTAMP: 'timestamp',
  TIMESTAMPTZ: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  'TIMESTAMP WITHOUT TIME ZONE': 'timestamp',
  JSON: 'json',
  JSON_TEXT: 'json',
  JSONB: 'json',
};

/**
 * What a column was declared to hold. SQLite stores any value anywhere, so the declaration says only
 * how a fitting value is to be read; expressions have none and are `plain`.
 */
export function columnKind(declared: string): ColumnKind {
  if (declared === '') return 'plain';
  const bare = declared.replace(/\s*\([^)]*\)/, '').toUpperCase();
  return Object.hasOwn(kinds, bare) ? (kinds[bare] as ColumnKind) : 'plain';
}
