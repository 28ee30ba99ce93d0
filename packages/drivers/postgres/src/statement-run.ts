import { ConfigError, type NativeResult, type NativeStatement } from '@dal/core';
import {
  isProtocolError,
  isServerAnswer,
  type PgField,
  type PgLine,
  type PgStatement,
} from './pg-client.ts';
import { isStalePlan, markEnding } from './postgres-faults.ts';
import { type EncodedValue, encodeValues, type PostgresTypes } from './postgres-types.ts';
import type { PreparedStatement, PreparedStatements } from './prepared-statements.ts';
import { NO_COLUMNS, readArray, readObject, type RowShape, rowShape } from './row-shape.ts';

/** What the statements of one session share. */
export interface StatementContext {
  readonly types: PostgresTypes;
  readonly prepared: PreparedStatements;
}

const MAX_VALUES = 65_535;

/**
 * One statement on its way through `pg`, always by the extended protocol: there the server itself
 * refuses two statements in one text.
 *
 * It settles only when the server is ready for the next statement, so that the session's status is
 * known at that moment, also after an error.
 */
export abstract class StatementRun implements PgStatement {
  settled = false;
  /** The first thing that went wrong; the server's own end of the statement is still awaited. */
  failure: unknown;
  protected rows: unknown[] = [];
  protected tag = '';
  protected shape: RowShape | undefined;
  readonly #text: string;
  readonly #values: readonly EncodedValue[];
  readonly #asArray: boolean;
  readonly #context: StatementContext;
  readonly #prepared: PreparedStatement | undefined;

  /** @throws ConfigError for a text or a value that can't be sent */
  constructor(statement: NativeStatement, context: StatementContext) {
    const { text, values, name, rowMode } = statement;
    checkStatement(text, values);
    this.#text = text;
    this.#values = encodeValues(values);
    this.#asArray = rowMode === 'array';
    this.#context = context;
    this.#prepared = name === undefined ? undefined : context.prepared.take(name, text);
    this.shape = this.#prepared?.shape;
  }

  /** Asks for rows; everything before it in the exchange is the same for all runs. */
  protected abstract execute(line: PgLine): void;
  protected abstract succeed(): void;
  protected abstract reject(error: unknown): void;
  abstract handlePortalSuspended(line: PgLine): void;

  submit(line: PgLine): void {
    const prepared = this.#prepared;
    // All messages of the exchange leave in one write.
    line.stream.cork();
    try {
      const closing = this.#context.prepared.takeClosing();
      if (closing) for (const name of closing) line.close({ type: 'S', name });
      if (prepared === undefined) {
        line.parse({ text: this.#text });
        line.bind({ values: this.#values });
      } else {
        const { name } = prepared;
        if (prepared.state === 'doubtful') line.close({ type: 'S', name });
        if (prepared.state !== 'ready') line.parse({ text: this.#text, name });
        line.bind({ statement: name, values: this.#values });
      }
      if (this.shape === undefined) line.describe({ type: 'P' });
      this.execute(line);
    } finally {
      line.stream.uncork();
    }
  }

  handleRowDescription({ fields }: { readonly fields: readonly PgField[] }): void {
    this.shape = rowShape(fields, this.#context.types);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.failure !== undefined) return;
    try {
      const shape = this.shape ?? NO_COLUMNS;
      this.rows.push(this.#asArray ? readArray(shape, fields) : readObject(shape, fields));
    } catch (error) {
      // Thrown on, it would end the process: this is called by the socket.
      this.fail(error);
    }
  }

  handleCommandComplete({ text }: { readonly text: string }, _line: PgLine): void {
    this.tag = text;
  }

  handleEmptyQuery(_line: PgLine): void {
    this.fail(
      new ConfigError('The text holds no statement.', { kind: 'usage', code: 'DAL_STATEMENT' }),
    );
  }

  handleCopyInResponse(line: PgLine): void {
    this.fail(copyRefused('FROM STDIN'));
    line.sendCopyFail('this connection sends no COPY data');
    // The Sync that went out with the statement was swallowed by the copy mode.
    line.sync();
  }

  handleCopyData(): void {
    this.fail(copyRefused('TO STDOUT'));
  }

  handleReadyForQuery(_line: PgLine): void {
    this.finish();
  }

  /** The server's error; its ReadyForQuery, or the end of the session, is still to come. */
  handleError(error: unknown, line: PgLine): void {
    this.fail(error);
    // What follows on the line can't be told apart from answers to later statements.
    if (isProtocolError(error)) line.stream.destroy(error as Error);
    // `pg` itself refused: nothing was sent, so nothing more will come.
    if (!isServerAnswer(error)) this.finish();
  }

  /** The server is ready for the next statement. */
  finish(): void {
    if (this.settled) return;
    this.settled = true;
    this.#notePrepared();
    if (this.failure === undefined) this.succeed();
    else this.reject(this.failure);
  }

  /** The session is gone. */
  end(reason: unknown): void {
    if (this.settled) return;
    if (this.failure !== undefined) markEnding(this.failure);
    this.fail(reason);
    this.finish();
  }

  protected fail(error: unknown): void {
    this.failure ??= error;
    this.rows = [];
  }

  #notePrepared(): void {
    const prepared = this.#prepared;
    if (prepared === undefined) return;
    if (this.failure === undefined) {
      prepared.state = 'ready';
      prepared.shape = this.shape ?? NO_COLUMNS;
    } else if (prepared.state !== 'ready' || isStalePlan(this.failure)) {
      prepared.state = 'doubtful';
      prepared.shape = undefined;
    }
  }
}

/** A statement whose rows arrive all at once. */
export class WholeRun extends StatementRun {
  readonly #resolve: (result: NativeResult) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    statement: NativeStatement,
    context: StatementContext,
    resolve: (result: NativeResult) => void,
    reject: (error: unknown) => void,
  ) {
    super(statement, context);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  protected override execute(line: PgLine): void {
    line.execute({});
    line.sync();
  }

  override handlePortalSuspended(_line: PgLine): void {
    // Only a run that asks for a number of rows is suspended.
  }

  protected override succeed(): void {
    const { rows, tag } = this;
    this.rows = [];
    const { command, affectedRows } = readTag(tag);
    const columns = this.shape?.columns ?? [];
    this.#resolve({ rows, columns, affectedRows, ...(command === '' ? {} : { command }) });
  }

  protected override reject(error: unknown): void {
    this.#reject(error);
  }
}

/** `INSERT 0 5`, `UPDATE 3`, `SELECT 10`, `CREATE TABLE`, `COMMIT`. */
export function readTag(tag: string): { command: string; affectedRows: number } {
  const match = /^(.*?)(?: \d+)? (\d+)$/.exec(tag);
  if (!match) return { command: tag, affectedRows: 0 };
  const command = match[1]!;
  return { command, affectedRows: readers.has(command) ? 0 : Number(match[2]) };
}

/** The number in their tag counts rows that were read. */
const readers = new Set(['SELECT', 'FETCH', 'MOVE']);

function checkStatement(text: string, values: readonly unknown[]): void {
  // A zero byte would end the text on the wire and shift the rest into other fields of the message.
  if (text.includes('\0')) {
    throw new ConfigError('The text of the statement holds a zero byte. Nothing was sent.', {
      kind: 'usage',
      code: 'DAL_STATEMENT',
    });
  }
  if (values.length > MAX_VALUES) {
    throw new ConfigError(
      `The statement has ${values.length} values; PostgreSQL takes ${MAX_VALUES}. Send fewer rows at a time, or pass a list as one value: = ANY($1). Nothing was sent.`,
      { kind: 'usage', code: 'DAL_STATEMENT' },
    );
  }
}

function copyRefused(direction: string): ConfigError {
  return new ConfigError(
    `COPY ... ${direction} can't run as a statement: its data doesn't travel as rows.`,
    { kind: 'usage', code: 'DAL_STATEMENT' },
  );
}
