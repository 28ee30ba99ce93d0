import type { NativeStatement } from '@dal/core';
import { flight } from './flight.ts';
import { valuesOfLibrary } from './library-mapping.ts';
import type { PgLine } from './pg-client.ts';
import { type EncodedValue, encodeValues } from './postgres-types.ts';
import {
  notePrepared,
  readTag,
  type StatementContext,
  StatementRun,
  write,
} from './statement-run.ts';

/** Rows of one flight; the next one waits for its answer, so that neither side must keep more. */
const MAX_ROWS = 1_000;
const MAX_CHARACTERS = 131_072;

/** One statement for each of many rows of values, as many of them as fit into one flight. */
export class ManyRun extends StatementRun {
  /** The first row that isn't in this flight. */
  readonly nextRow: number;
  affectedRows = 0;
  command = '';
  /** The layer wants it to stop; between two flights the server doesn't hear a cancel. */
  isInterrupted = false;
  readonly #isFirst: boolean;
  readonly #encoded: readonly (readonly EncodedValue[])[];
  readonly #answer: (run: ManyRun) => void;
  readonly #refuse: (error: unknown) => void;
  readonly #start: number;
  #doneCount = 0;

  /** @throws ConfigError for a text or a value that can't be sent */
  constructor(
    statement: Omit<NativeStatement, 'values'>,
    rows: readonly (readonly unknown[])[],
    start: number,
    context: StatementContext,
    answer: (run: ManyRun) => void,
    refuse: (error: unknown) => void,
  ) {
    super({ ...statement, values: [] }, context);
    this.#encoded = encodeRows(rows, start, this.asLibrary ? valuesOfLibrary : encodeValues);
    this.#start = start;
    this.nextRow = start + this.#encoded.length;
    this.#isFirst = start === 0;
    this.#answer = answer;
    this.#refuse = refuse;
  }

  override submit(line: PgLine): void {
    // Without a name, the server keeps a text until the next one.
    const messages = this.#isFirst || this.target !== '' ? this.prepareText() : flight.begin();
    for (const values of this.#encoded) messages.bind(this.target, values).execute();
    write(line, messages.sync().take());
  }

  override interrupt(): void {
    this.isInterrupted = true;
  }

  override handleDataRow(): void {
    // What the statement returns is not asked for.
  }

  override handleCommandComplete({ text }: { readonly text: string }): void {
    const { command, affectedRows } = readTag(text);
    this.command = command;
    this.affectedRows += affectedRows;
    this.#doneCount++;
  }

  override handlePortalSuspended(): void {
    // Only a run that asks for a number of rows is suspended.
  }

  protected override execute(): void {
    // It is in the flight.
  }

  protected override notePrepared(): void {
    // The columns were not asked for.
    if (this.prepared) notePrepared(this.prepared, this.failure, undefined);
  }

  protected override succeed(): void {
    this.#answer(this);
  }

  protected override reject(error: unknown): void {
    // The server stops at the first error, and answers in order.
    const rowIndex = this.#start + this.#doneCount;
    this.#refuse(error instanceof Error ? Object.assign(error, { rowIndex }) : error);
  }
}

function encodeRows(
  rows: readonly (readonly unknown[])[],
  start: number,
  encode: (values: readonly unknown[]) => EncodedValue[],
): EncodedValue[][] {
  const encoded: EncodedValue[][] = [];
  let characters = 0;
  for (let index = start; index < rows.length && encoded.length < MAX_ROWS; index++) {
    const values = encode(rows[index]!);
    for (const value of values) characters += value?.length ?? 0;
    encoded.push(values);
    if (characters > MAX_CHARACTERS) break;
  }
  return encoded;
}
