import { type Dialect, standardTransaction } from '@dal/core';

/** SQL of no engine; the words of transactions are the standard's. */
export const fakeDialect: Dialect = {
  name: 'fake',
  placeholder: () => '?',
  quote: ['"', '"'],
  lexis: {},
  ping: 'SELECT 1',
  transaction: standardTransaction(() => ['BEGIN']),
  isolations: ['serializable'],
  limits: { parameters: 1_000 },
  types: {
    boolean: 'BOOLEAN',
    integer: 'INTEGER',
    bigint: 'BIGINT',
    double: 'DOUBLE PRECISION',
    decimal: 'DECIMAL(50, 20)',
    text: 'TEXT',
    key: 'VARCHAR(100)',
    bytes: 'BLOB',
    json: 'JSON',
    date: 'DATE',
    timestamp: 'TIMESTAMP',
    autoId: 'INTEGER PRIMARY KEY',
  },
};
