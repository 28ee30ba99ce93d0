import type { SqliteDatabase } from './native-database.ts';
import { connectionPragmas } from './pragmas.ts';
import type { SessionSettings } from './session-messages.ts';

/** A database in memory as new, its data apart: it can't be opened again, for it would be lost. */
export function tidyDatabase(database: SqliteDatabase, settings: SessionSettings): void {
  if (database.inTransaction) database.exec('ROLLBACK');
  database.pragma('query_only = OFF');
  const temporary = database
    .prepare<[], [string, string]>(
      "SELECT type, name FROM sqlite_temp_master WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite_%'",
    )
    .raw()
    .all();
  for (const [type, name] of temporary) {
    database.exec(`DROP ${type} IF EXISTS temp."${name.replaceAll('"', '""')}"`);
  }
  const attached = database
    .prepare<[], string>('SELECT name FROM pragma_database_list')
    .pluck()
    .all();
  for (const name of attached) {
    if (name !== 'main' && name !== 'temp') {
      database.exec(`DETACH "${name.replaceAll('"', '""')}"`);
    }
  }
  connectionPragmas(database, settings);
}
