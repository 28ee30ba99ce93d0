/** A session in this very thread: nothing is faster, and nothing can stop it. */
import { setImmediate } from 'node:timers/promises';
import { resultOf, type SessionLine, sessionIsOver, type SqliteRaw } from './session-line.ts';
import { failureOf, type Reply, type Request } from './session-messages.ts';
import type { Session } from './session.ts';
import { SqliteError } from './sqlite-faults.ts';
import type { SqliteSettings } from './sqlite-options.ts';

export async function openInlineLine(settings: SqliteSettings): Promise<SessionLine> {
  // Who has no session in this thread never loads the native library into it.
  const { openSession } = await import('./session.ts');
  try {
    return new InlineLine(openSession(settings));
  } catch (error) {
    throw new SqliteError(failureOf(error));
  }
}

class InlineLine implements SessionLine {
  readonly #session: Session;
  readonly raw: SqliteRaw;

  constructor(session: Session) {
    this.#session = session;
    this.raw = {
      runsIn: 'inline',
      pid: process.pid,
      get database() {
        return session.database;
      },
    };
  }

  get inTransaction(): boolean {
    const { database } = this.#session;
    return database.open && database.inTransaction;
  }

  async call(request: Request): Promise<unknown> {
    if (!this.#session.database.open) throw sessionIsOver();
    // Between two batches of a stream everything else gets its turn.
    if (request[0] === 'next') await setImmediate();
    const before = this.inTransaction;
    return resultOf(this.#serve(request), before);
  }

  #serve(request: Request): Reply {
    try {
      return [true, false, this.#session.serve(request)];
    } catch (error) {
      return [false, this.inTransaction, failureOf(error)];
    }
  }

  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }

  destroy(): void {
    try {
      if (this.#session.database.open) this.#session.close();
    } catch {
      // A session that is given up has nothing more to say.
    }
  }
}
