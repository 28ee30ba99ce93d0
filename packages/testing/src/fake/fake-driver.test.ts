import { openDatabase } from '@dal/database';
import { expect, test } from 'vitest';
import { fakeDriver, FakeError } from './index.ts';

test('answers by script and writes every call down', async () => {
  const driver = fakeDriver().on(/^SELECT name/, { rows: [{ name: 'a' }] });
  await using db = openDatabase(driver, {});
  expect(await db.query('SELECT name FROM t WHERE id = ?', [1])).toEqual([{ name: 'a' }]);
  expect(await db.query('SELECT other')).toEqual([]);
  expect(driver.statements).toEqual(['1: SELECT name FROM t WHERE id = ?', '1: SELECT other']);
  expect(driver.calls.map(({ call }) => call)).toEqual(['connect', 'query', 'query']);
});

test('a rule for once is used up', async () => {
  const driver = fakeDriver().once('SELECT 1', {
    error: new FakeError('duplicate', { kind: 'unique' }),
  });
  await using db = openDatabase(driver, {});
  await expect(db.query('SELECT 1')).rejects.toMatchObject({ kind: 'unique' });
  expect(await db.query('SELECT 1')).toEqual([]);
});

test('a statement without an answer ends with a cancel', async () => {
  const driver = fakeDriver().on('STUCK', { never: true });
  await using db = openDatabase(driver, {});
  await expect(db.query('STUCK', [], { timeoutMs: 20 })).rejects.toMatchObject({
    kind: 'statementTimeout',
  });
  expect(driver.calls.map(({ call }) => call)).toContain('cancel');
  // The session is put in order before it is lent again.
  await expect.poll(() => db.pool.stats().idle).toBe(1);
  await db.query('SELECT 1');
  expect(driver.sessions).toHaveLength(1);
});

test('a lost line is reported once, and the next statement has a new session', async () => {
  const driver = fakeDriver();
  await using db = openDatabase(driver, {});
  await db.query('SELECT 1');
  driver.loseAll();
  driver.loseAll();
  await db.query('SELECT 2');
  expect(driver.statements).toEqual(['1: SELECT 1', '2: SELECT 2']);
  expect(db.pool.stats().lostConnections).toBe(1);
});

test('a member that is left out is absent', async () => {
  const driver = fakeDriver({ without: ['cancel', 'status'] });
  const session = await driver.connect({}, () => undefined);
  expect(session.cancel).toBeUndefined();
  expect(session.status).toBeUndefined();
  expect(session.reset).toBeTypeOf('function');
});

test('a session follows its transaction', async () => {
  const driver = fakeDriver().on('WRONG', { error: new Error('no') });
  const session = await driver.connect({}, () => undefined);
  await session.query({ text: 'BEGIN', values: [] });
  expect(session.status?.()).toBe('transaction');
  await session.query({ text: 'WRONG', values: [] }).catch(() => undefined);
  expect(session.status?.()).toBe('failed');
  await session.query({ text: 'ROLLBACK', values: [] });
  expect(session.status?.()).toBe('idle');
});

test('two calls at once on one session are refused', async () => {
  const driver = fakeDriver().on('STUCK', { never: true });
  const session = await driver.connect({}, () => undefined);
  const stuck = session.query({ text: 'STUCK', values: [] });
  await expect(session.query({ text: 'SELECT 1', values: [] })).rejects.toThrow('busy');
  session.destroy?.();
  await expect(stuck).rejects.toMatchObject({ fault: { connectionLost: true } });
});
