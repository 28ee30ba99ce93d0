import { type Dialect, standardTransaction } from '@dal/core';

export const duckdbDialect: Dialect = {
  name: 'duckdb',
  placeholder: (index) => `$${index}`,
  quote: ['"', '"'],
  lexis: { dollar: true, escapeStrings: true },
  ping: 'SELECT 1',
  transaction: {
    ...standardTransaction(({ readOnly }) => [
      readOnly ? 'BEGIN TRANSACTION READ ONLY' : 'BEGIN TRANSACTION',
    ]),
    // DuckDB has no savepoints.
    savepoint: null,
    rollbackTo: null,
    release: null,
  },
  isolations: ['snapshot'],
  limits: { parameters: 65_535, decimals: { before: 28, behind: 10 } },
  types: {
    boolean: 'BOOLEAN',
    integer: 'INTEGER',
    bigint: 'BIGINT',
    double: 'DOUBLE',
    decimal: 'DECIMAL(38, 10)',
    text: 'VARCHAR',
    key: 'VARCHAR',
    bytes: 'BLOB',
    json: 'JSON',
    date: 'DATE',
    timestamp: 'TIMESTAMP',
    // Nothing counts it up: DuckDB has sequences, which are made beside a table.
    autoId: 'BIGINT PRIMARY KEY',
  },
  upsert: {
    change: (keys) => ` ON CONFLICT (${keys.join(', ')}) DO UPDATE SET `,
    incoming: (column) => `excluded.${column}`,
    skip: (keys) => ` ON CONFLICT (${keys.join(', ')}) DO NOTHING`,
  },
  returning: true,
};
