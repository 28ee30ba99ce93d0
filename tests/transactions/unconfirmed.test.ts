import { createDatabase } from '@dal/factory';
import { startServer } from '@dal/testing/servers';
import { expect, test } from 'vitest';

test('a commit that no replica has confirmed is no plain success, and does not run again', async () => {
  await using server = await startServer('postgres', {
    own: true,
    settings: { synchronous_standby_names: 'nobody' },
  });
  await using admin = await createDatabase({
    url: server.url,
    options: '-c synchronous_commit=local',
  });
  await using db = await createDatabase(server.url);
  await admin.execute('CREATE TABLE ledger (id int)');
  let runs = 0;
  const outcome = db.transaction(
    async (tx) => {
      runs++;
      await tx.execute('INSERT INTO ledger VALUES (1)');
    },
    { timeoutMs: 1_000, retries: 3 },
  );
  await expect(outcome).rejects.toMatchObject({
    name: 'CommitUnconfirmedError',
    code: 'DAL_COMMIT_UNCONFIRMED',
    fault: { applied: 'unknown' },
  });
  expect(runs).toBe(1);
  expect(Number(await admin.queryValue('SELECT COUNT(*) FROM ledger'))).toBe(1);
});
