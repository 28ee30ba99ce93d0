import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { describe, expect, inject, test } from 'vitest';

describe.each(inject('engines').filter(({ name }) => name !== 'sqlite'))('$name', ({ url }) => {
  test('a COMMIT whose answer is lost is said to be unknown, and nothing runs twice', async () => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using direct = await createDatabase(url, { name: 'direct' });
    await using db = await createDatabase(proxy.through(url));
    await direct.execute('DROP TABLE IF EXISTS commit_outcome');
    await direct.execute(`CREATE TABLE commit_outcome (id ${direct.dialect.types.integer})`);

    let runs = 0;
    const outcome = db.transaction(
      async (tx) => {
        runs++;
        await tx.execute('INSERT INTO commit_outcome VALUES (1)');
        // From here on the server hears everything, and none of its answers arrives.
        proxy.set('drop-down');
        setTimeout(() => proxy.resetAll(), 300);
      },
      { retries: 3, timeoutMs: 2_000 },
    );
    await expect(outcome).rejects.toMatchObject({
      name: 'CommitOutcomeUnknownError',
      code: 'DAL_COMMIT_OUTCOME_UNKNOWN',
    });
    expect(runs).toBe(1);
    // It had been committed: a second run would have made two rows.
    expect(await direct.queryValue('SELECT COUNT(*) FROM commit_outcome')).toBe(1);
    proxy.set('pass');
    proxy.resetAll();
    expect(await db.queryValue('SELECT 7')).toBe(7);
    await direct.execute('DROP TABLE commit_outcome');
  });

  test('a transaction that is cut before COMMIT is no unknown outcome', async () => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    await using db = await createDatabase(proxy.through(url));
    const outcome = db.transaction(async (tx) => {
      await tx.query('SELECT 1');
      proxy.resetAll();
      await tx.query('SELECT 2');
    });
    await expect(outcome).rejects.toMatchObject({ name: 'ConnectionError' });
  });
});
