import { type Dialect, MAX_DURATION_MS, standardTransaction } from '@dal/core';
import { READ_ONLY_TRANSACTION } from './session-messages.ts';
import { sqliteCatalog } from './sqlite-catalog.ts';
import { sqliteLock } from './sqlite-lock.ts';

export const sqliteDialect: Dialect = {
  name: 'sqlite',
  placeholder: () => '?',
  quote: ['"', '"'],
  lexis: { backticks: true, brackets: true },
  ping: 'SELECT 1',
  // A plain BEGIN that writes later cannot wait for the lock: its snapshot is old by then. Taking
  // the lock first makes writers queue instead of fail.
  transaction: standardTransaction(({ readOnly }) =>
    readOnly ? [READ_ONLY_TRANSACTION, 'BEGIN'] : ['BEGIN IMMEDIATE'],
  ),
  isolations: ['serializable'],
  limits: { parameters: 32_766 },
  types: {
    boolean: 'BOOLEAN',
    integer: 'INTEGER',
    bigint: 'BIGINT',
    double: 'DOUBLE',
    // The word TEXT in a type keeps SQLite from turning digits into a binary number.
    decimal: 'DECIMAL_TEXT',
    text: 'TEXT',
    key: 'TEXT',
    bytes: 'BLOB',
    json: 'JSON_TEXT',
    date: 'DATE',
    timestamp: 'TIMESTAMP',
    autoId: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  },
  catalog: sqliteCatalog,
  upsert: {
    change: (keys) => ` ON CONFLICT (${keys.join(', ')}) DO UPDATE SET `,
    incoming: (column) => `excluded.${column}`,
    skip: (keys) => ` ON CONFLICT (${keys.join(', ')}) DO NOTHING`,
  },
  returning: true,
  // SQLite itself has no limit.
  identifiers: { max: 255, unit: 'characters' },
  sessionLock: sqliteLock,
  // 0 would be: do not wait at all.
  lockTimeout: (timeoutMs) => [`PRAGMA busy_timeout = ${Math.ceil(timeoutMs) || MAX_DURATION_MS}`],
};
