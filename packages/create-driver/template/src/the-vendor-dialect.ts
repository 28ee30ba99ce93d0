import { type Dialect, standardTransaction } from '@dal/core';

/** Follows the word for a transaction that only reads; see `TheVendorConnection`. */
export const READ_ONLY = 'PRAGMA query_only = ON';

/** What the layer must know of the engine's SQL. Each member says in its own words what it means. */
export const theVendorDialect: Dialect = {
  name: 'the-vendor',
  // TODO `$1`: (index) => `$${index}`, `:1` (Oracle), `@p1` (SQL Server).
  placeholder: () => '?',
  quote: ['"', '"'],
  // TODO Where text is not SQL, beside '...', "...", -- and /* */.
  lexis: { backticks: true, brackets: true },
  ping: 'SELECT 1',
  // TODO How a transaction begins. Where it must be a call, null, and `begin`, `commit` and `rollback`
  // of the connection. Without savepoints: savepoint, rollbackTo and release are null.
  transaction: standardTransaction(({ readOnly }) =>
    readOnly ? ['BEGIN', READ_ONLY] : ['BEGIN IMMEDIATE'],
  ),
  isolations: ['serializable'],
  limits: { parameters: 32_766 },
  // TODO The engine's type for each kind of value.
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
};
