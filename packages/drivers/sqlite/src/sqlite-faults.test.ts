import type { Fault } from '@dal/core';
import { expect, onTestFinished, test } from 'vitest';
import { cellSettings } from './read-texts.ts';
import { Session } from './session.ts';
import { classifySqliteError, SqliteError } from './sqlite-faults.ts';
import { readSqliteOptions } from './sqlite-options.ts';

/** What SQLite itself says to each statement, and how that is judged. */
const provoked: readonly (readonly [text: string, fault: Partial<Fault>])[] = [
  [
    "INSERT INTO t (id, name) VALUES (1, 'other')",
    { kind: 'unique', code: 'SQLITE_CONSTRAINT_PRIMARYKEY', table: 't', column: 'id' },
  ],
  [
    "INSERT INTO t (name) VALUES ('one')",
    { kind: 'unique', code: 'SQLITE_CONSTRAINT_UNIQUE', table: 't', column: 'name' },
  ],
  ['INSERT INTO t (name) VALUES (NULL)', { kind: 'notNull', table: 't', column: 'name' }],
  ["INSERT INTO t (name, age) VALUES ('two', -1)", { kind: 'check', constraint: 'grown' }],
  ["INSERT INTO t (name, parent) VALUES ('two', 99)", { kind: 'foreignKey' }],
  [
    "INSERT INTO t (name, lower_name) VALUES ('three', 'ONE')",
    { kind: 'unique', constraint: 'folded' },
  ],
  ["INSERT INTO s (n) VALUES ('x')", { kind: 'data', code: 'SQLITE_CONSTRAINT_DATATYPE' }],
  ["UPDATE t SET name = 'forbidden'", { kind: 'check', code: 'SQLITE_CONSTRAINT_TRIGGER' }],
  ["INSERT INTO t (id) VALUES ('x')", { kind: 'data', code: 'SQLITE_MISMATCH' }],
  ['SELECT zeroblob(2000000000)', { kind: 'data', code: 'SQLITE_TOOBIG' }],
  ['SELEC 1', { kind: 'syntax' }],
  ['SELECT', { kind: 'syntax' }],
  ['SELECT #', { kind: 'syntax' }],
  ['SELECT * FROM missing', { kind: 'schema' }],
  ['SELECT missing FROM t', { kind: 'schema' }],
  ['SELECT missing(1)', { kind: 'schema' }],
  ['INSERT INTO t (missing) VALUES (1)', { kind: 'schema' }],
  ['CREATE TABLE t (x)', { kind: 'schema' }],
  ['SELECT abs(-9223372036854775808)', { kind: 'data' }],
  ["SELECT json('{broken')", { kind: 'data' }],
  ['COMMIT', { kind: 'usage' }],
  ['ROLLBACK', { kind: 'usage' }],
  ['RELEASE absent', { kind: 'usage' }],
  ['SELECT 1; SELECT 2', { kind: 'usage' }],
  ['-- nothing', { kind: 'usage' }],
  ['SELECT ?', { kind: 'usage' }],
];

test.each(provoked)('SQLite refuses %s', (text, fault) => {
  const settings = readSqliteOptions({ path: ':memory:' });
  const session = new Session(settings, cellSettings(settings));
  onTestFinished(() => session.close());
  session.database.exec(`
    CREATE TABLE t (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER CONSTRAINT grown CHECK (age >= 0),
      parent INTEGER REFERENCES t (id), lower_name TEXT
    );
    CREATE UNIQUE INDEX folded ON t (lower(lower_name));
    CREATE TABLE s (n INTEGER) STRICT;
    CREATE TRIGGER guard BEFORE UPDATE ON t WHEN new.name = 'forbidden'
    BEGIN SELECT RAISE(ABORT, 'not this name'); END;
    INSERT INTO t (id, name, lower_name) VALUES (1, 'one', 'one');
  `);
  let thrown: unknown;
  try {
    session.run(session.prepare(text), [], true);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(Error);
  expect(classifySqliteError(thrown)).toMatchObject({ ...fault, applied: 'no' });
});

/** Codes that take a broken disk or a race to see. */
test.each<[code: string, fault: Partial<Fault>]>([
  ['SQLITE_BUSY', { kind: 'lockTimeout', applied: 'no' }],
  ['SQLITE_BUSY_RECOVERY', { kind: 'lockTimeout', applied: 'no' }],
  ['SQLITE_BUSY_TIMEOUT', { kind: 'lockTimeout', applied: 'no' }],
  ['SQLITE_BUSY_SNAPSHOT', { kind: 'serialization', applied: 'no', transaction: 'open' }],
  ['SQLITE_LOCKED_SHAREDCACHE', { kind: 'lockTimeout', applied: 'no' }],
  ['SQLITE_FULL', { kind: 'resource', applied: 'no' }],
  ['SQLITE_IOERR_FSYNC', { kind: 'resource', applied: 'unknown' }],
  ['SQLITE_CORRUPT_INDEX', { kind: 'corrupt', connectionLost: true }],
  ['SQLITE_NOTADB', { kind: 'corrupt', connectionLost: true }],
  ['SQLITE_READONLY_DBMOVED', { kind: 'readOnly', connectionLost: true }],
  ['SQLITE_READONLY_RECOVERY', { kind: 'readOnly', applied: 'no' }],
  ['SQLITE_CANTOPEN_ISDIR', { kind: 'connection', applied: 'no' }],
  ['SQLITE_ABORT_ROLLBACK', { kind: 'serialization', transaction: 'gone' }],
  ['SQLITE_SOMETHING_NEW', { kind: 'unknown', applied: 'unknown' }],
  ['ECONNRESET', { kind: 'unknown', applied: 'unknown' }],
])('%s', (code, fault) => {
  expect(classifySqliteError(Object.assign(new Error('words'), { code }))).toMatchObject({
    ...fault,
    code,
  });
});

test('what the session knows of its transaction goes before the table', () => {
  const error = new SqliteError({ message: 'full', code: 'SQLITE_FULL' }, { transaction: 'gone' });
  expect(classifySqliteError(error)).toMatchObject({ kind: 'resource', transaction: 'gone' });
});

test('the judge takes anything', () => {
  const trap = new Proxy(new Error('trap'), {
    get() {
      throw new Error('trapped');
    },
  });
  const strangers = [undefined, null, 5, 'text', Symbol('x'), {}, [], () => 1, trap];
  for (const stranger of [...strangers, Object.freeze({ code: 7, message: {} })]) {
    expect(classifySqliteError(stranger)).toMatchObject({ kind: 'unknown' });
  }
});
