import { bindCell, type Bound } from './bind-cell.ts';
import { ColumnAnnouncer } from './column-slots.ts';
import { packRows, unpackCells } from './packed-cells.ts';
import type { Prepared } from './prepared.ts';
import {
  type AsLibrary,
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
  #streamsAs: AsLibrary | undefined;

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
        const [, statement, cells, as] = request;
        const values = bind(cells, as);
        return this.#with(session, statement, (prepared) =>
          this.#result(session.run(prepared, values, false, as), as),
        );
      }
      case 'many': {
        const [, statement, list, as] = request;
        const rows = list.map((cells) => bind(cells, as));
        return this.#with(session, statement, (prepared) => session.runMany(prepared, rows));
      }
      case 'open': {
        const [, text, cells, batchSize, as] = request;
        this.#streamsAs = as;
        return this.#batch(session.openStream(text, bind(cells, as), batchSize, as), as);
      }
      case 'next':
        return this.#batch(session.nextBatch(), this.#streamsAs);
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

  #result(result: SessionResult, as: AsLibrary | undefined): RunAnswer {
    const { description, rows, affectedRows, insertId, run } = result;
    const batch = this.#batch({ description, rows: rows as unknown[][], done: true }, as);
    // As a text, for it may be beyond what JSON reads exactly.
    const id = insertId === undefined ? null : String(insertId);
    return as && run
      ? [batch, affectedRows, id, Number(run.lastInsertRowid)]
      : [batch, affectedRows, id];
  }

  #batch({ description, rows, done }: SessionBatch, as: AsLibrary | undefined): BatchAnswer {
    if (!as) description.shape.toArrays(rows);
    const packed = packRows(rows);
    return [this.#columns.announce(description), rows, packed, done];
  }

  #inTransaction(): boolean {
    return this.#session?.inTransaction ?? false;
  }
}

function bind(cells: Cell[], as: AsLibrary | undefined): Bound[] {
  unpackCells(cells);
  if (as) return cells;
  for (let index = 0; index < cells.length; index++) cells[index] = bindCell(cells[index] as Cell);
  return cells;
}
