import { ConfigError, ConnectionError } from '@dal/core';
import { describe, expect, test } from 'vitest';
import {
  classifyPostgres,
  isUnconfirmedCommit,
  markEnding,
  markRefusal,
  markUnbegun,
} from './postgres-faults.ts';

function answer(code: string, more: Record<string, unknown> = {}): Error {
  return Object.assign(new Error('words of the server'), { severity: 'ERROR', code, ...more });
}

function nodeError(code: string, more: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(code), { code, ...more });
}

describe('an ERROR of the server', () => {
  test.for([
    ['23505', 'unique'],
    ['23503', 'foreignKey'],
    ['23001', 'foreignKey'],
    ['23502', 'notNull'],
    ['23514', 'check'],
    ['23P01', 'exclusion'],
    ['22001', 'data'],
    ['22P02', 'data'],
    ['42601', 'syntax'],
    ['42P01', 'schema'],
    ['42703', 'schema'],
    ['42883', 'schema'],
    ['42804', 'syntax'],
    ['42501', 'permission'],
    ['40001', 'serialization'],
    ['40P01', 'deadlock'],
    ['55P03', 'lockTimeout'],
    ['57014', 'cancelled'],
    ['25006', 'readOnly'],
    ['25P02', 'usage'],
    ['26000', 'stalePlan'],
    ['42P05', 'stalePlan'],
    ['53100', 'resource'],
    ['53200', 'resource'],
    ['54000', 'usage'],
    ['0A000', 'usage'],
    ['08P01', 'usage'],
    ['P0001', 'unknown'],
    ['XX000', 'unknown'],
  ])('%s is %s, undone, and leaves the session alive', ([code, kind]) => {
    expect(classifyPostgres(answer(code!))).toMatchObject({
      kind,
      code,
      applied: 'no',
      transaction: 'aborted',
    });
    expect(classifyPostgres(answer(code!)).connectionLost).toBeUndefined();
  });

  test.for(['08006', '08007', '40003'])('%s leaves the outcome open', (code) => {
    expect(classifyPostgres(answer(code)).applied).toBe('unknown');
  });

  test('names the constraint, the table and the column', () => {
    const error = answer('23502', { table: 'orders', column: 'total', constraint: 'positive' });
    expect(classifyPostgres(error)).toMatchObject({
      table: 'orders',
      column: 'total',
      constraint: 'positive',
    });
  });

  test('a stale plan is known by the routine, in every language', () => {
    const error = answer('0A000', { message: 'жаль', routine: 'RevalidateCachedQuery' });
    expect(classifyPostgres(error).kind).toBe('stalePlan');
  });

  test('statement_timeout and a cancel share a code, and differ', () => {
    const error = answer('57014', { message: 'canceling statement due to statement timeout' });
    expect(classifyPostgres(error).kind).toBe('statementTimeout');
  });
});

describe('the end of a session', () => {
  test.for([
    ['57P01', 'connection', 'unknown'],
    ['57P03', 'notReady', 'no'],
    ['57P05', 'connection', 'no'],
    ['25P03', 'connection', 'no'],
    ['25P04', 'statementTimeout', 'no'],
    ['53300', 'overloaded', 'no'],
    ['28P01', 'authentication', 'no'],
    ['28000', 'authentication', 'no'],
    ['3D000', 'schema', 'no'],
    ['XX000', 'unknown', 'unknown'],
  ])('FATAL %s is %s, applied: %s', ([code, kind, applied]) => {
    expect(classifyPostgres(answer(code!, { severity: 'FATAL' }))).toMatchObject({
      kind,
      applied,
      connectionLost: true,
      transaction: 'gone',
    });
  });

  test('is known by what followed, when FATAL is another word', () => {
    const error = answer('XX000', { severity: 'ВАЖНО' });
    expect(classifyPostgres(error).connectionLost).toBeUndefined();
    markEnding(error);
    expect(classifyPostgres(error)).toMatchObject({ connectionLost: true, applied: 'unknown' });
  });

  test.for([
    ['query_wait_timeout', 'overloaded', 'no'],
    ['server login has been failing, try again later', 'connection', 'no'],
    ['unsupported startup parameter: bytea_output', 'usage', 'no'],
    ['server conn crashed?', 'connection', 'unknown'],
  ])('PgBouncer: %s', ([message, kind, applied]) => {
    expect(classifyPostgres(answer('08P01', { severity: 'FATAL', message }))).toMatchObject({
      kind,
      applied,
      connectionLost: true,
    });
  });
});

describe('an error of Node or pg', () => {
  test.for([
    ['ECONNREFUSED', 'connection', 'no'],
    ['ENOTFOUND', 'connection', 'no'],
    ['ECONNRESET', 'connection', 'unknown'],
    ['ETIMEDOUT', 'connection', 'unknown'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'authentication', 'no'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'authentication', 'no'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'authentication', 'no'],
  ])('%s is %s, applied: %s', ([code, kind, applied]) => {
    expect(classifyPostgres(nodeError(code!))).toMatchObject({
      kind,
      applied,
      code,
      connectionLost: true,
    });
  });

  test.for([
    ['Connection terminated unexpectedly', 'connection', 'unknown'],
    ['Connection terminated', 'connection', 'unknown'],
    ['Query read timeout', 'connection', 'unknown'],
    ['Client was closed and is not queryable', 'connection', 'no'],
    ['Client has encountered a connection error and is not queryable', 'connection', 'no'],
    ['timeout expired', 'connection', 'no'],
    ['timeout exceeded when trying to connect', 'connection', 'no'],
    ['Connection terminated due to connection timeout', 'connection', 'no'],
    ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'authentication', 'no'],
  ])('"%s" is %s, applied: %s', ([message, kind, applied]) => {
    expect(classifyPostgres(new Error(message))).toMatchObject({
      kind,
      applied,
      connectionLost: true,
    });
  });

  test('a write that Node refused sent nothing, one that the system broke off may have', () => {
    expect(classifyPostgres(nodeError('EPIPE')).applied).toBe('no');
    expect(classifyPostgres(nodeError('EPIPE', { errno: -32 })).applied).toBe('unknown');
  });

  test('a connect that timed out sent nothing', () => {
    expect(classifyPostgres(nodeError('ETIMEDOUT', { syscall: 'connect' })).applied).toBe('no');
  });

  test('whatever broke while connecting, nothing was sent', () => {
    const error = nodeError('ECONNRESET');
    markRefusal(error);
    expect(classifyPostgres(error)).toMatchObject({ kind: 'connection', applied: 'no' });
  });

  test('a list of refused addresses is one refusal', () => {
    const list = Object.assign(
      new AggregateError([nodeError('ECONNREFUSED'), nodeError('ENETUNREACH')]),
      { code: 'ECONNREFUSED' },
    );
    expect(classifyPostgres(list)).toMatchObject({
      kind: 'connection',
      code: 'ECONNREFUSED',
      applied: 'no',
    });
  });

  test('the cause of an unknown error is looked at', () => {
    const error = new Error('wrapped', { cause: answer('23505') });
    expect(classifyPostgres(error).kind).toBe('unique');
  });
});

test('what the server says before it has begun with the statement had no effect', () => {
  const ending = { severity: 'FATAL', routine: 'ProcessInterrupts' };
  const between = answer('57P01', ending);
  expect(classifyPostgres(between)).toMatchObject({ connectionLost: true, applied: 'unknown' });
  markUnbegun(between);
  expect(classifyPostgres(between)).toMatchObject({ connectionLost: true, applied: 'no' });
  // A pooler says such things without knowing what the server did.
  const ofPooler = answer('57P01', { severity: 'FATAL' });
  for (const error of [ofPooler, nodeError('ECONNRESET'), undefined, 'text']) markUnbegun(error);
  expect(classifyPostgres(ofPooler)).toMatchObject({ connectionLost: true, applied: 'unknown' });
});

test.for([
  [{ code: '01000', routine: 'SyncRepWaitForLSN', message: 'in any language' }, true],
  [
    { code: '01000', message: 'canceling wait for synchronous replication due to user request' },
    true,
  ],
  [{ code: '01000', routine: 'exec_stmt_raise', message: 'of a user' }, false],
  [{ code: '25P01', routine: 'UserAbortTransactionBlock', message: 'no transaction' }, false],
] as const)('a warning at COMMIT: %j', ([notice, says]) => {
  expect(isUnconfirmedCommit(notice)).toBe(says);
});

test("errors of the layer keep their driver's verdict", () => {
  const fault = { kind: 'notReady', applied: 'no' } as const;
  expect(classifyPostgres(new ConnectionError('x', { fault }))).toBe(fault);
  expect(classifyPostgres(new ConfigError('x', { kind: 'usage' }))).toMatchObject({
    kind: 'usage',
    applied: 'no',
  });
});

test('nothing makes it throw', () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('no');
      },
      has() {
        throw new Error('no');
      },
      getPrototypeOf() {
        throw new Error('no');
      },
    },
  );
  const circular = new Error('round');
  circular.cause = circular;
  const emptyList = new AggregateError([]);
  const strange = [undefined, null, 'text', 7, Symbol('x'), {}, Object.freeze(new Error('ice'))];
  for (const value of [...strange, hostile, circular, emptyList, { code: '__proto__' }]) {
    expect(classifyPostgres(value).kind).toBe('unknown');
  }
});
