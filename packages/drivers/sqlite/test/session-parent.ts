// A program with one session in a process of its own, which runs a statement that never ends.
//
//   node session-parent.ts <file> <limitMs> <read|write>
import { sqliteDriver } from '../src/index.ts';

const [file, limitMs, what] = process.argv.slice(2);
const settings = sqliteDriver.configure?.({ path: file });
if (settings !== undefined) {
  const session = await sqliteDriver.connect(settings, () => undefined);
  await session.query({ text: 'CREATE TABLE IF NOT EXISTS t (n INTEGER)', values: [] });
  await session.limit?.(Number(limitMs));
  const endless =
    'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';
  const text = what === 'write' ? `INSERT INTO t ${endless}` : endless;
  const stuck = session.query({ text, values: [] });
  process.send?.(session.raw.pid);
  await stuck;
}
