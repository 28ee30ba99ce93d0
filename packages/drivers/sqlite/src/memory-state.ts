import type { Session } from './session.ts';

/** What the sessions of one database in memory have in common. */
export interface MemoryState {
  /** How often it was opened. The second time, the first one's data is gone. */
  opened: number;
  /** The session in this thread, which blocking and other calls share: the data is in it. */
  shared: SharedSession | undefined;
}

export interface SharedSession {
  readonly session: Session;
  /** Connections that use it; it ends with the last one. */
  users: number;
  /** Whose transaction is open. */
  holder: object | undefined;
}

/** To be called when a database in memory is opened anew; warns when the old one's data is gone. */
export function noticeOpening(memory: MemoryState): void {
  memory.opened += 1;
  if (memory.opened === 1) return;
  process.emitWarning(
    'A database in memory begins anew, empty: its session was stopped or ended, and its data with it.',
    { code: 'DAL_SQLITE_MEMORY_LOST' },
  );
}
