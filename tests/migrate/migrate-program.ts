// Started by lock.test.ts: one process that migrates, and tells its parent how that goes.
import { createDatabase } from '@dal/factory';
import { migrate, type MigrateOptions } from '@dal/migrate';

async function main(): Promise<void> {
  const [url = '', options = '{}'] = process.argv.slice(2);
  const db = await createDatabase(url);
  try {
    const log = (line: string): void => void process.send?.({ log: line });
    const report = await migrate(db, { ...(JSON.parse(options) as MigrateOptions), log });
    process.send?.({ report });
  } catch (error) {
    const { code, message } = error as { code: unknown; message: unknown };
    process.send?.({ error: { code, message } });
  }
  await db.close();
  process.disconnect?.();
}

void main();
