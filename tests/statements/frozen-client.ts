// Started by server-limit.test.ts, and suspended while its statement runs.
import { createDatabase } from '@dal/factory';

async function main(): Promise<void> {
  const [url = '', statement = ''] = process.argv.slice(2);
  const db = await createDatabase(url, { statementTimeoutMs: 1_000, pool: { max: 1 } });
  await db.query('SELECT 1');
  process.send?.('ready');
  await db.execute(statement);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
