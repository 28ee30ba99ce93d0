import { bindCell, type Bound } from './bind-cell.ts';
import { ColumnAnnouncer } from './column-slots.ts';
import { packRows, unpackCells } from './packed-cells.ts';
import type { Prepared } from './prepared.ts';
import {
  type BatchAnswer,
  type Cell,
  failureOf,
  type Reply,
  type Request,
  type RunAnswer,
  type WireStatement,
} from './session-messages.ts';
import { Session, type SessionBatch } from './session.ts';
import type { SessionResult } from './statement-runner.ts';

/**
 * Answers the requests that come from another process, which decides what is kept. Nothing in here
 * loads `@dal/core`: that would double the time in which a session starts.
 */
export class SessionServer {
  readonly #columns = new ColumnAnnouncer();
  /** By the numbers that the other side gave them. */
  readonly #kept = new Map<number, Prepared>();
  #session: Session | undefined;

  /** Never throws. */
  answer(request: Request, forget: readonly number[]): Reply {
    for (const number of forget) this.#kept.delete(number);
    try {
      const result = this.#serve(request);
      return [true, this.#inTransaction(), result];
    } catch (error) {
      return [false, this.#inTransaction(), failureOf(error)];
    }
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #serve(request: Request): unknown {
    if (request[0] === 'start') {
      // Moments and JSON travel as texts, and are read on the other side.
      const { integers, decimals } = request[1];
      this.#session = new Session(request[1], { integers, decimals });
      return null;
    }
    const session = this.#session;
    if (session === undefined) throw new Error('The session was never started.');
    switch (request[0]) {
      case 'run': {
        const values = bind(request[2]);
        return this.#with(session, request[1], (prepared) =>
          this.#result(session.run(prepared, values, false)),
        );
      }
      case 'many': {
        const rows = request[2].map(bind);
        return this.#with(session, request[1], (prepared) => session.runMany(prepared, rows));
      }
      case 'open':
        return this.#batch(session.openStream(request[1], bind(request[2]), request[3]));
      case 'next':
        return this.#batch(session.nextBatch());
      case 'end':
        session.endStream();
        return null;
      case 'reset':
        this.#kept.clear();
        session.reset();
        return null;
      case 'version':
        return session.version();
      case 'close':
      default:
        return null;
    }
  }

  /** Keeps a statement only when its work succeeded, as the other side does. */
  #with<T>(session: Session, statement: WireStatement, work: (prepared: Prepared) => T): T {
    if (typeof statement === 'number') {
      const prepared = this.#kept.get(statement);
      if (prepared === undefined) throw new Error('The session does not know this statement.');
      return work(prepared);
    }
    const [keepAs, text] = statement;
    const prepared = session.prepare(text);
    const result = work(prepared);
    if (keepAs > 0) this.#kept.set(keepAs, prepared);
    return result;
  }

  #result({ description, rows, affectedRows, insertId }: SessionResult): RunAnswer {
    const batch = this.#batch({ description, rows: rows as unknown[][], done: true });
    // As a text, for it may be beyond what JSON reads exactly.
    return [batch, affectedRows, insertId === undefined ? null : String(insertId)];
  }

  #batch({ description, rows, done }: SessionBatch): BatchAnswer {
    description.shape.toArrays(rows);
    const packed = packRows(rows);
    return [this.#columns.announce(description), rows, packed, done];
  }

  #inTransaction(): boolean {
    return this.#session?.inTransaction ?? false;
  }
}

function bind(cells: Cell[]): Bound[] {
  unpackCells(cells);
  for (let index = 0; index < cells.length; index++) cells[index] = bindCell(cells[index] as Cell);
  return cells;
}
