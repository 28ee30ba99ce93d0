import {
  type DriverVersion,
  type LoadBatch,
  type LoadTarget,
  type NativeResult,
  type NativeStatement,
} from '@dal/core';
import { encodeRows, loadRows } from './bulk.ts';
import type { RowShape } from './row-shape.ts';
import type { AsLibrary, Cell, LibraryVersion } from './session-messages.ts';
import { encodeValues, valuesOfLibrary } from './sqlite-types.ts';

/** What is the same for a session, in whatever process it lives. */
export abstract class SessionCalls {
  /** Runs one text for many lists of values, and answers how many rows it changed. */
  protected abstract many(text: string, rows: Iterable<Cell[]>, as?: AsLibrary): Promise<number>;
  protected abstract libraryVersion(): Promise<LibraryVersion>;

  async queryMany(
    { text, mapping }: Omit<NativeStatement, 'values'>,
    rows: readonly (readonly unknown[])[],
  ): Promise<NativeResult> {
    const cells = encodeRows(rows, mapping === 'library' ? valuesOfLibrary : encodeValues);
    const affectedRows = await this.many(text, cells, mapping);
    return { rows: [], columns: [], affectedRows };
  }

  load(target: LoadTarget, batches: AsyncIterable<LoadBatch>): Promise<number> {
    return loadRows(target, batches, (text, rows) => this.many(text, rows));
  }

  async version(): Promise<DriverVersion> {
    const { sqlite, library } = await this.libraryVersion();
    return {
      serverVersion: sqlite,
      flavor: 'sqlite',
      driver: 'better-sqlite3',
      driverVersion: library,
    };
  }
}

/** Rows that came as arrays, as the user wants them. */
export function shapeRows(
  shape: RowShape,
  rows: unknown[][],
  rowMode: NativeStatement['rowMode'],
): unknown[] {
  return rowMode === 'array' ? shape.toArrays(rows) : shape.toObjects(rows);
}

/** As better-sqlite3 answers: `all()` where there can be rows, and `run()` elsewhere. */
export function libraryAnswer(
  rows: unknown[],
  changes: number,
  lastInsertRowid: number | undefined,
): unknown {
  return lastInsertRowid === undefined ? rows : { changes, lastInsertRowid };
}
