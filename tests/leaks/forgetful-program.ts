// Started by leaks.test.ts, with --expose-gc: acquires connections and forgets them.
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, type Database } from '@dal/factory';

async function main(): Promise<void> {
  const [url = ''] = process.argv.slice(2);
  const db = await createDatabase(url, { name: 'shop', pool: { max: 2 } });
  const warnings: string[] = [];
  process.on('warning', ({ message }) => warnings.push(message));
  await db.execute('CREATE TABLE IF NOT EXISTS forgotten (id INT)');
  await db.execute('DELETE FROM forgotten');

  await forget(db);
  await forget(db);
  const lentBefore = db.pool.stats().lent;
  for (let turn = 0; turn < 200 && db.pool.stats().lent > 0; turn++) {
    (globalThis as { gc?: () => void }).gc?.();
    await sleep(10);
  }
  // A handle that is given back, or still held, is nobody's business.
  await using held = await db.acquire();
  await (await db.acquire()).release();
  for (let turn = 0; turn < 5; turn++) {
    (globalThis as { gc?: () => void }).gc?.();
    await sleep(10);
  }
  const n = await held.queryValue('SELECT COUNT(*) AS n FROM forgotten');
  const { lent } = db.pool.stats();
  await held.release();
  await db.execute('DROP TABLE forgotten');
  await db.close();
  console.log(JSON.stringify({ lentBefore, lent, rows: Number(n), warnings }));
}

/** Nothing refers to the connection after this, and its transaction is open. */
async function forget(db: Database): Promise<void> {
  const connection = await db.acquire();
  await connection.begin();
  await connection.execute('INSERT INTO forgotten VALUES (1)');
  await connection.query('SELECT id FROM forgotten');
  await sleep(5);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
