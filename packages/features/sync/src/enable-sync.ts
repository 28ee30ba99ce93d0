import { provideSync } from '@dal/database';
import { openTwin } from './open-sync-database.ts';

/**
 * Makes `db.sync` work, on every database of this thread. Call it once at the start of a program, and
 * of each worker thread that uses `db.sync`; calling it again changes nothing.
 */
export function enableSync(): void {
  provideSync({ open: openTwin });
}
