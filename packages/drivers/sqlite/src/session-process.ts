/** The process that a session lives in. It knows one file, answers one request at a time, and dies with its parent. */
import { watchParent } from './orphan-watch.ts';
import { failureOf, type Reply, type Request, type SessionSettings } from './session-messages.ts';
import type { Session } from './session.ts';

let session: Session | undefined;

process.title = 'dal-sqlite';
// Ctrl-C reaches the whole group of processes; when to end is the parent's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

process.once('disconnect', end);
process.once('message', (settings) => {
  start(settings as SessionSettings).catch(end);
});

async function start(settings: SessionSettings): Promise<void> {
  try {
    watchParent();
    // Not at the top: a missing or foreign native library is then an answer, not a silent death.
    const { openSession } = await import('./session.ts');
    session = openSession(settings);
  } catch (error) {
    reply([false, false, failureOf(error)], end);
    return;
  }
  process.on('message', (message) => {
    if (message === 'close') end();
    else answer(message as Request);
  });
  reply([true, false, undefined]);
}

function answer(request: Request): void {
  if (session === undefined) return;
  let result: Reply;
  try {
    const value = session.serve(request);
    result = [true, session.database.inTransaction, value];
  } catch (error) {
    result = [false, session.database.open && session.database.inTransaction, failureOf(error)];
  }
  reply(result);
}

function reply(message: Reply, then?: () => void): void {
  // Without a parent nobody waits for the answer; `disconnect` ends the process.
  if (process.connected) process.send?.(message, undefined, undefined, () => then?.());
}

function end(): void {
  try {
    session?.close();
  } finally {
    process.exit(0);
  }
}
