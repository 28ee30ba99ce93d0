import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqlite } from '@dal/sqlite';
import Sqlite from 'better-sqlite3';
import { databaseReads } from './server-stages.ts';
import { benchValues, COLUMNS, MOST_CALLERS, SELECTED, type Stage } from './stage.ts';

const READ = `SELECT ${SELECTED} FROM visitors WHERE id = ?`;

/**
 * A file. The measure is a statement that better-sqlite3 prepared once, in this thread: it waits for
 * nobody and can't be stopped, and nothing is faster.
 */
export async function sqliteStage(): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'dal-bench-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'bench.db');
  const pool = { max: MOST_CALLERS };
  const inProcess = opening.use(sqlite({ path, pool }));
  const inline = opening.use(sqlite({ path, pool, runsIn: 'inline' }));
  await inline.execute(`CREATE TABLE visitors (${COLUMNS})`);
  await inline.executeMany(`INSERT INTO visitors VALUES (?, ?, ?, ?)`, benchValues());
  const { serverVersion, driver, driverVersion } = await inline.version();
  const raw = new Sqlite(path);
  opening.defer(() => void raw.close());
  const statement = raw.prepare(READ);
  const opened = opening.move();
  return {
    versions: `sqlite ${serverVersion}, ${driver} ${driverVersion}`,
    ours: [
      ...databaseReads(inline, READ, ' inline'),
      ...databaseReads(inProcess, READ, ' process'),
    ],
    raw: [{ name: 'better-sqlite3, prepared', read: (id) => statement.get(id) }],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
