import { provideMigrate } from '@dal/database';
import { migrate } from './migrate.ts';

/** Makes `db.migrate()` work, on every database of this thread. Calling it again changes nothing. */
export function enableMigrate(): void {
  provideMigrate({ run: migrate });
}
