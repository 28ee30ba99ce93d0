// An engine whose protocol says nothing of the transaction, and which answers COMMIT with success
// whatever has become of it: DuckDB does so.
import { openDatabase } from '@dal/database';
import { type FakeDriver, fakeDriver, FakeError } from '@dal/testing/fake';
import { expect, test } from 'vitest';

function silentDriver(): FakeDriver {
  return fakeDriver({ without: ['status'] }).on('INSERT twice', {
    error: new FakeError('again', { kind: 'unique', applied: 'no', transaction: 'aborted' }),
  });
}

test('a transaction that the driver calls aborted is never called committed', async () => {
  const driver = silentDriver();
  await using db = openDatabase(driver, {});
  const attempt = db.transaction(async (tx) => {
    await tx.execute('INSERT once');
    await tx.execute('INSERT twice').catch(() => undefined);
  });
  await expect(attempt).rejects.toThrow(/again|rolled back/i);
  expect(driver.statements.map(plain)).toEqual([
    'BEGIN',
    'INSERT once',
    'INSERT twice',
    'ROLLBACK',
  ]);
});

test('what a savepoint has mended is committed', async () => {
  const driver = silentDriver();
  await using db = openDatabase(driver, {});
  await db.transaction(async (tx) => {
    await tx.execute('INSERT once');
    await tx.transaction((nested) => nested.execute('INSERT twice')).catch(() => undefined);
  });
  expect(driver.statements.map(plain).at(-1)).toBe('COMMIT');
});

function plain(statement: string): string {
  return statement.replace(/^\d+: /, '');
}
