import { type BeginOptions, ConfigError, type Dialect, standardTransaction } from '@dal/core';
import { mysqlCatalog } from './mysql-catalog.ts';

const isolationWords: Readonly<Record<string, string>> = {
  readUncommitted: 'READ UNCOMMITTED',
  readCommitted: 'READ COMMITTED',
  repeatableRead: 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
};

/** What the layer must know of the SQL of MySQL and MariaDB. */
export const mysqlDialect: Dialect = {
  name: 'mysql',
  placeholder: () => '?',
  quote: ['`', '`'],
  lexis: {
    hashComments: true,
    dashNeedsSpace: true,
    backslashStrings: true,
    backticks: true,
    doubleQuotedStrings: true,
  },
  ping: 'DO 1',
  transaction: standardTransaction(begin),
  isolations: Object.keys(isolationWords),
  // The protocol counts them in 16 bits.
  limits: { parameters: 65_535 },
  ddlCommits: true,
  types: {
    boolean: 'BOOLEAN',
    integer: 'INT',
    bigint: 'BIGINT',
    double: 'DOUBLE',
    decimal: 'DECIMAL(40,10)',
    text: 'LONGTEXT',
    key: 'VARCHAR(255)',
    bytes: 'LONGBLOB',
    json: 'JSON',
    date: 'DATE',
    timestamp: 'DATETIME(6)',
    autoId: 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
  },
  catalog: mysqlCatalog,
};

function begin({ isolation, readOnly }: BeginOptions): readonly string[] {
  // Without READ WRITE, so that a session opened with `readOnly` stays so.
  const start = readOnly ? 'START TRANSACTION READ ONLY' : 'START TRANSACTION';
  if (isolation === undefined) return [start];
  const words = Object.hasOwn(isolationWords, isolation) ? isolationWords[isolation] : undefined;
  if (words === undefined) {
    throw new ConfigError(
      `MySQL has no isolation "${isolation}". Use one of: ${Object.keys(isolationWords).join(', ')}.`,
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  // Counts for the next transaction only.
  return [`SET TRANSACTION ISOLATION LEVEL ${words}`, start];
}
