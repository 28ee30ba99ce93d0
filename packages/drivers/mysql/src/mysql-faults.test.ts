import { ConfigError } from '@dal/core';
import { expect, test } from 'vitest';
import { noteError } from './error-notes.ts';
import type { Flavor } from './flavor.ts';
import { classifyMysqlError } from './mysql-faults.ts';

function serverError(errno: number, flavor?: Flavor, message = 'x', sqlState = 'HY000'): Error {
  const error = Object.assign(new Error(message), { errno, sqlState, sqlMessage: message });
  return flavor ? noteError(error, { phase: 'session', flavor }) : error;
}

function codeError(code: string, more: object = {}): Error {
  return Object.assign(new Error(code), { code, ...more });
}

test.each([
  ['mysql', 1062, { kind: 'unique', applied: 'no', transaction: 'open' }],
  ['mysql', 1452, { kind: 'foreignKey' }],
  ['mysql', 1048, { kind: 'notNull' }],
  ['mysql', 3819, { kind: 'check' }],
  ['mariadb', 4025, { kind: 'check' }],
  ['mysql', 1064, { kind: 'syntax' }],
  ['mysql', 1146, { kind: 'schema' }],
  ['mysql', 1406, { kind: 'data' }],
  ['mysql', 1045, { kind: 'authentication' }],
  ['mysql', 1142, { kind: 'permission' }],
  ['mysql', 1040, { kind: 'overloaded', applied: 'no' }],
  ['mariadb', 1040, { kind: 'overloaded', applied: 'no' }],
  ['mysql', 1053, { kind: 'notReady', connectionLost: true, applied: 'unknown' }],
  ['mysql', 3032, { kind: 'notReady', connectionLost: true }],
  ['mysql', 1205, { kind: 'lockTimeout', transaction: 'open', applied: 'no' }],
  ['mysql', 3572, { kind: 'lockTimeout', transaction: 'open' }],
  ['mysql', 1213, { kind: 'deadlock', transaction: 'gone', applied: 'no' }],
  ['mariadb', 1020, { kind: 'serialization', transaction: 'gone', applied: 'no' }],
  ['mysql', 3101, { kind: 'serialization', transaction: 'gone', applied: 'no' }],
  ['mysql', 3100, { kind: 'readOnly', applied: 'unknown' }],
  ['mysql', 1180, { kind: 'notReady', applied: 'unknown' }],
  ['mysql', 1792, { kind: 'readOnly' }],
  ['mysql', 1836, { kind: 'readOnly' }],
  ['mysql', 1317, { kind: 'cancelled', transaction: 'open' }],
  ['mysql', 3024, { kind: 'statementTimeout', transaction: 'open' }],
  ['mariadb', 1969, { kind: 'statementTimeout', transaction: 'open' }],
  ['mariadb', 1927, { kind: 'connection', connectionLost: true, applied: 'unknown' }],
  ['mysql', 4031, { kind: 'connection', connectionLost: true }],
  ['mysql', 1114, { kind: 'resource' }],
  ['mysql', 1461, { kind: 'resource', applied: 'no' }],
  ['mysql', 1615, { kind: 'stalePlan', applied: 'no' }],
  ['mysql', 1243, { kind: 'stalePlan', applied: 'no' }],
  ['mysql', 1295, { kind: 'usage' }],
  ['mysql', 1644, { kind: 'unknown', applied: 'no' }],
] as const)('%s %i is %o', (flavor, errno, fault) => {
  expect(classifyMysqlError(serverError(errno, flavor))).toMatchObject({
    ...fault,
    code: String(errno),
  });
});

test('a number that only one flavor has means nothing on the other', () => {
  expect(classifyMysqlError(serverError(4025, 'mysql')).kind).toBe('unknown');
  expect(classifyMysqlError(serverError(1020, 'mysql')).kind).toBe('unknown');
  expect(classifyMysqlError(serverError(3819, 'mariadb')).kind).toBe('unknown');
});

test('without a flavor the numbers of one flavor only are still known', () => {
  expect(classifyMysqlError(serverError(4025)).kind).toBe('check');
  expect(classifyMysqlError(serverError(3819)).kind).toBe('check');
});

test('mysql2 names for the wrong flavor are ignored', () => {
  const error = Object.assign(serverError(4025, 'mariadb'), {
    code: 'ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE',
  });
  expect(classifyMysqlError(error).kind).toBe('check');
});

test.each([
  [
    1290,
    'The MySQL server is running with the --read-only option so it cannot execute this',
    'readOnly',
  ],
  [1290, 'The MySQL server is running with the --super-read-only option', 'readOnly'],
  [1290, 'The MariaDB server is running with the --read-only=1 option', 'readOnly'],
  [1290, 'The MySQL server is running with the --secure-file-priv option', 'usage'],
  [1047, 'WSREP has not yet prepared node for application use', 'readOnly'],
  [1047, 'Unknown command', 'usage'],
  [1305, 'SAVEPOINT s1 does not exist', 'usage'],
  [1305, 'FUNCTION dal.nope does not exist', 'schema'],
])('%i "%s" is %s', (errno, message, kind) => {
  expect(classifyMysqlError(serverError(errno, 'mariadb', message)).kind).toBe(kind);
});

test.each([
  [1062, "Duplicate entry 'a' for key 'people.email'", { table: 'people', constraint: 'email' }],
  [1062, "Duplicate entry 'for key 'x'' for key 'email'", { constraint: 'email' }],
  [
    1452,
    'Cannot add or update a child row: a foreign key constraint fails (`dal`.`child`, CONSTRAINT `fk_parent` FOREIGN KEY (`p`) REFERENCES `parent` (`id`))',
    { table: 'child', constraint: 'fk_parent' },
  ],
  [1048, "Column 'name' cannot be null", { column: 'name' }],
  [1364, "Field 'name' doesn't have a default value", { column: 'name' }],
  [1406, "Data too long for column 'name' at row 1", { column: 'name' }],
  [
    1366,
    "Incorrect integer value: 'a' for column `dal`.`t`.`n` at row 1",
    { table: 't', column: 'n' },
  ],
  [3819, "Check constraint 'positive' is violated.", { constraint: 'positive' }],
  [4025, 'CONSTRAINT `positive` failed for `dal`.`t`', { constraint: 'positive', table: 't' }],
  [4025, 'CONSTRAINT `t.n` failed for `dal`.`t`', { constraint: 'n', table: 't' }],
  [1146, "Table 'dal.nope' doesn't exist", { table: 'nope' }],
])('%i "%s" says where: %o', (errno, message, place) => {
  expect(classifyMysqlError(serverError(errno, undefined, message))).toMatchObject(place);
});

test.each([
  ['ECONNREFUSED', {}, { kind: 'connection', applied: 'no' }],
  ['ENOTFOUND', {}, { kind: 'connection', applied: 'no' }],
  ['ETIMEDOUT', { syscall: 'connect' }, { kind: 'connection', applied: 'no' }],
  ['ETIMEDOUT', { syscall: 'read' }, { connectionLost: true, applied: 'unknown' }],
  ['ECONNRESET', { errno: -104 }, { connectionLost: true, applied: 'unknown' }],
  ['EPIPE', { errno: -32 }, { connectionLost: true, applied: 'unknown' }],
  ['PROTOCOL_CONNECTION_LOST', {}, { connectionLost: true, applied: 'unknown' }],
  ['SELF_SIGNED_CERT_IN_CHAIN', {}, { kind: 'authentication', applied: 'no' }],
  ['ERR_TLS_CERT_ALTNAME_INVALID', {}, { kind: 'authentication', applied: 'no' }],
  ['HANDSHAKE_NO_SSL_SUPPORT', {}, { kind: 'authentication', applied: 'no' }],
])('%s %o is %o', (code, more, fault) => {
  expect(classifyMysqlError(codeError(code, more))).toMatchObject({ ...fault, code });
});

test('whatever breaks while connecting has run nothing', () => {
  const fault = classifyMysqlError(
    noteError(codeError('PROTOCOL_CONNECTION_LOST'), { phase: 'connect' }),
  );
  expect(fault).toEqual({ kind: 'connection', applied: 'no', code: 'PROTOCOL_CONNECTION_LOST' });
  const starting = noteError(serverError(1053), { phase: 'connect' });
  expect(classifyMysqlError(starting)).toMatchObject({ kind: 'notReady', applied: 'no' });
  expect(classifyMysqlError(starting).connectionLost).toBeUndefined();
});

test('a command on a dead line was never sent', () => {
  const error = Object.assign(
    new Error("Can't add new command when connection is in closed state"),
    { fatal: true },
  );
  expect(classifyMysqlError(error)).toEqual({
    kind: 'connection',
    connectionLost: true,
    applied: 'no',
  });
});

test('the idle disconnect of MySQL has its number in code', () => {
  expect(classifyMysqlError(Object.assign(new Error('idle'), { code: 4031, fatal: true }))).toEqual(
    {
      kind: 'connection',
      connectionLost: true,
      applied: 'unknown',
      code: '4031',
    },
  );
});

test('an unknown number falls back to the class of its SQLSTATE', () => {
  expect(classifyMysqlError(serverError(9999, 'mysql', 'x', '22003')).kind).toBe('data');
  expect(classifyMysqlError(serverError(9999, 'mysql', 'x', '45000'))).toMatchObject({
    kind: 'unknown',
    applied: 'no',
  });
});

test('an error of the layer keeps its kind', () => {
  expect(classifyMysqlError(new ConfigError('x', { kind: 'data' })).kind).toBe('data');
});

test('nothing makes it throw', () => {
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
      has: () => {
        throw new Error('no');
      },
    },
  );
  const odd = [undefined, null, 'text', 7, 7n, Symbol('x'), () => 1, [], hostile];
  const odder = [
    Object.freeze(new Error('frozen')),
    { errno: 'x', code: {}, message: 5 },
    { errno: Number.NaN },
    { errno: 1062, sqlMessage: {} },
    { code: '__proto__' },
    { code: 'constructor' },
    Object.create(null),
  ];
  for (const thing of [...odd, ...odder]) {
    expect(typeof classifyMysqlError(thing).kind).toBe('string');
  }
});
