import type { NativeResult, NativeStatement } from '@dal/core';
import { resultOfLibrary } from './library-mapping.ts';
import type { PgLine } from './pg-client.ts';
import { isStalePlan } from './postgres-faults.ts';
import { NO_COLUMNS } from './row-shape.ts';
import { readTag, type StatementContext, StatementRun, write } from './statement-run.ts';

/** A statement whose rows arrive all at once. */
export class WholeRun extends StatementRun {
  protected readonly statement: NativeStatement;
  protected readonly answer: (result: NativeResult) => void;
  protected readonly refuse: (error: unknown) => void;
  readonly #isSecondTry: boolean;

  constructor(
    statement: NativeStatement,
    context: StatementContext,
    answer: (result: NativeResult) => void,
    refuse: (error: unknown) => void,
    isSecondTry = false,
  ) {
    super(statement, context);
    this.statement = statement;
    this.answer = answer;
    this.refuse = refuse;
    this.#isSecondTry = isSecondTry;
  }

  /**
   * The same once more, when all that was wrong is that the server's plan of a prepared statement
   * was made for tables that have changed. Only for a session without a transaction: elsewhere the
   * error has ended the transaction.
   */
  again(): WholeRun | undefined {
    if (this.#isSecondTry || this.settled || this.statement.name === undefined) return undefined;
    if (!isStalePlan(this.failure)) return undefined;
    this.settled = true;
    this.notePrepared();
    return this.repeated();
  }

  protected repeated(): WholeRun {
    return new WholeRun(this.statement, this.context, this.answer, this.refuse, true);
  }

  override submit(line: PgLine): void {
    write(line, this.prepare().execute().sync().take());
  }

  protected override execute(_line: PgLine): void {
    // It is in the flight.
  }

  override handlePortalSuspended(_line: PgLine): void {
    // Only a run that asks for a number of rows is suspended.
  }

  protected override succeed(): void {
    this.answer(this.result());
  }

  protected override reject(error: unknown): void {
    this.refuse(error);
  }

  protected result(): NativeResult {
    const { rows, tag } = this;
    this.rows = [];
    const { command, affectedRows } = readTag(tag);
    const { columns, fields } = this.shape ?? NO_COLUMNS;
    const result: NativeResult =
      command === '' ? { rows, columns, affectedRows } : { rows, columns, affectedRows, command };
    if (!this.asLibrary && !this.isUnconfirmed) return result;
    return {
      ...result,
      ...(this.isUnconfirmed ? { unconfirmed: true } : {}),
      ...(this.asLibrary ? { library: resultOfLibrary(tag, rows, fields, this.asArray) } : {}),
    };
  }
}
