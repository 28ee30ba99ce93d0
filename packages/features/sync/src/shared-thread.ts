import { SyncThread } from './sync-thread.ts';

// One worker for all databases of a thread: their calls never overlap, since each holds the thread.
let current: SyncThread | undefined;
const users = new Set<object>();

/** The thread's worker; another one when the last has ended. */
export function sharedThread(user: object): SyncThread {
  users.add(user);
  if (current === undefined || !current.usable) current = new SyncThread();
  return current;
}

/** Ends the worker when nobody uses it any more. */
export async function leaveSharedThread(user: object): Promise<void> {
  users.delete(user);
  if (users.size > 0 || current === undefined) return;
  const last = current;
  current = undefined;
  await last.end();
}
