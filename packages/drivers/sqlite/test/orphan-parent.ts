// Holds the write lock of a file with a statement that never ends, until somebody kills it.
import { sqliteDriver } from '../src/index.ts';

const settings = sqliteDriver.configure?.({ path: process.argv[2] });
if (settings !== undefined) {
  const session = await sqliteDriver.connect(settings, () => undefined);
  await session.query({ text: 'CREATE TABLE t (n INTEGER)', values: [] });
  const text =
    'INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';
  const stuck = session.query({ text, values: [] });
  process.send?.('stuck');
  await stuck;
}
