import { type BeginOptions, ConfigError, type Dialect, standardTransaction } from '@dal/core';
import { mysqlCatalog } from './mysql-catalog.ts';
import { mysqlLock } from './mysql-lock.ts';

const isolationWords: Readonly<Record<string, string>> = {
  readUncommitted: 'READ UNCOMMITTED',
  readCommitted: 'READ COMMITTED',
  repeatableRead: 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
};

/** By code points, blanks at the end included; each server reads its own comment. */
const exactly =
  'CHARACTER SET utf8mb4 COLLATE /*!80017 utf8mb4_0900_bin */ /*M!100200 utf8mb4_nopad_bin */';

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
  exactTypes: { text: `LONGTEXT ${exactly}`, key: `VARCHAR(255) ${exactly}` },
  upsert: {
    change: () => ' ON DUPLICATE KEY UPDATE ',
    // MariaDB knows no other words for it.
    incoming: (column) => `VALUES(${column})`,
  },
  rowLock: ' FOR UPDATE',
  indexedText: 191,
  identifiers: { max: 64, unit: 'characters', bmpOnly: true },
  sessionLock: mysqlLock,
  lockTimeout,
};

/** Locks of tables, and locks of rows; both count in whole seconds. */
function lockTimeout(timeoutMs: number): readonly string[] {
  const seconds = timeoutMs === 0 ? FOR_EVER_S : Math.max(1, Math.ceil(timeoutMs / 1_000));
  return [
    `SET SESSION lock_wait_timeout = ${seconds}`,
    `SET SESSION innodb_lock_wait_timeout = ${seconds}`,
  ];
}

/** The longest that both engines take. */
const FOR_EVER_S = 31_536_000;

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
