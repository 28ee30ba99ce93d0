import { ConfigError, type NativeStatement } from '@dal/core';
import { type Flight, flight } from './flight.ts';
import { typesOfLibrary, valuesOfLibrary } from './library-mapping.ts';
import {
  isProtocolError,
  isServerAnswer,
  type PgField,
  type PgLine,
  type PgStatement,
} from './pg-client.ts';
import { isStalePlan, markEnding, markUnbegun } from './postgres-faults.ts';
import { type EncodedValue, encodeValues, type PostgresTypes } from './postgres-types.ts';
import type { PreparedStatement, PreparedStatements } from './prepared-statements.ts';
import {
  NO_COLUMNS,
  readArray,
  readObject,
  type RowShape,
  rowShape,
  shapeFor,
} from './row-shape.ts';

/** What the statements of one session share. */
export interface StatementContext {
  readonly types: PostgresTypes;
  readonly prepared: PreparedStatements;
  /** No pooler in between, whose own errors could stand in front of the server's answers. */
  readonly isDirect: boolean;
}

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
  /** The server has bound the values, so from then on it may have begun. */
  isBound = false;
  /** COMMIT took effect, but the replicas that were to confirm it did not. */
  isUnconfirmed = false;
  protected rows: unknown[] = [];
  protected tag = '';
  protected shape: RowShape | undefined;
  protected readonly context: StatementContext;
  protected readonly prepared: PreparedStatement | undefined;
  readonly #text: string;
  readonly #values: readonly EncodedValue[];
  protected readonly asArray: boolean;
  /** Values come and go as `pg` does it by itself. */
  protected readonly asLibrary: boolean;
  readonly #types: PostgresTypes;

  /** @throws ConfigError for a text or a value that can't be sent */
  constructor(statement: NativeStatement, context: StatementContext) {
    const { text, values, name } = statement;
    this.context = context;
    this.#text = text;
    if (values.length > MAX_VALUES) throw tooMany(values.length);
    this.asArray = statement.rowMode === 'array';
    this.asLibrary = statement.mapping === 'library';
    this.#values = this.asLibrary ? valuesOfLibrary(values) : encodeValues(values);
    this.#types = this.asLibrary ? typesOfLibrary(statement.libraryOptions) : context.types;
    this.prepared = name === undefined ? undefined : context.prepared.take(name, text);
    if (this.prepared?.state !== 'ready') checkText(text);
    const known = this.prepared?.shape;
    this.shape = known && shapeFor(known, this.#types);
  }

  /** Asks for rows; everything before it in the exchange is the same for all runs. */
  protected abstract execute(line: PgLine): void;
  protected abstract succeed(): void;
  protected abstract reject(error: unknown): void;
  abstract handlePortalSuspended(line: PgLine): void;

  submit(line: PgLine): void {
    // All messages of the exchange leave in one write.
    line.stream.cork();
    try {
      write(line, this.prepare().take());
      this.execute(line);
    } finally {
      line.stream.uncork();
    }
  }

  /** A flight with everything that comes before the execution. */
  protected prepare(): Flight {
    const messages = this.prepareText().bind(this.target, this.#values);
    return this.shape === undefined ? messages.describePortal() : messages;
  }

  /** A flight after which the server has the text, under `target`. */
  protected prepareText(): Flight {
    const prepared = this.prepared;
    const messages = flight.begin();
    const closing = this.context.prepared.takeClosing();
    if (closing !== undefined) for (const name of closing) messages.closeStatement(name);
    return prepared === undefined ? messages.parse('', this.#text) : parsed(messages, prepared);
  }

  /** The name on the server; empty for a statement that isn't kept. */
  protected get target(): string {
    return this.prepared?.name ?? '';
  }

  handleRowDescription({ fields }: { readonly fields: readonly PgField[] }): void {
    this.shape = rowShape(fields, this.#types);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.failure !== undefined) return;
    try {
      const shape = this.shape ?? NO_COLUMNS;
      this.rows.push(this.asArray ? readArray(shape, fields) : readObject(shape, fields));
    } catch (error) {
      // Thrown on, it would end the process: this is called by the socket.
      this.fail(error);
    }
  }

  handleCommandComplete({ text }: { readonly text: string }, _line: PgLine): void {
    this.tag = text;
  }

  handleEmptyQuery(_line: PgLine): void {
    if (this.asLibrary) return;
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

  handleCopyData(_message: { readonly chunk: Buffer }): void {
    this.fail(copyRefused('TO STDOUT'));
  }

  /** The server was asked to stop this; for what a cancel alone doesn't reach. */
  interrupt(): void {
    // The server hears a cancel while it runs a statement.
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
    this.notePrepared();
    if (this.failure === undefined) this.succeed();
    else this.reject(this.failure);
  }

  /** The session is gone. */
  end(reason: unknown): void {
    if (this.settled) return;
    if (this.failure !== undefined) {
      markEnding(this.failure);
      if (!this.isBound && this.context.isDirect) markUnbegun(this.failure);
    }
    this.fail(reason);
    this.finish();
  }

  protected fail(error: unknown): void {
    this.failure ??= error;
    this.rows = [];
  }

  protected notePrepared(): void {
    const shape = this.failure === undefined ? (this.shape ?? NO_COLUMNS) : undefined;
    if (this.prepared !== undefined) notePrepared(this.prepared, this.failure, shape);
    // Not one of our own statements, and then the server holds nothing of ours any more.
    if (this.tag === 'DEALLOCATE ALL' || this.tag === 'DISCARD ALL') this.context.prepared.clear();
  }
}

/** Has the server prepare a statement, if it hasn't. */
export function parsed(messages: Flight, { name, text, state }: PreparedStatement): Flight {
  if (state === 'doubtful') messages.closeStatement(name);
  return state === 'ready' ? messages : messages.parse(name, text);
}

/** What is known of a prepared statement after it ran or failed; `shape`: if it was seen. */
export function notePrepared(
  prepared: PreparedStatement,
  failure: unknown,
  shape: RowShape | undefined,
): void {
  if (failure === undefined) {
    prepared.state = 'ready';
    if (shape !== undefined) prepared.shape = shape;
  } else if (prepared.state !== 'ready' || isStalePlan(failure)) {
    prepared.state = 'doubtful';
    prepared.shape = undefined;
  }
}

/** `pg` itself leaves out what a line that is closing can't take. */
export function write({ stream }: PgLine, bytes: Buffer): void {
  if (stream.writable) stream.write(bytes);
}

export interface CommandTag {
  readonly command: string;
  readonly affectedRows: number;
}

/** `INSERT 0 5`, `UPDATE 3`, `SELECT 10`, `CREATE TABLE`, `COMMIT`. */
export function readTag(tag: string): CommandTag {
  let read = tagsRead.get(tag);
  if (read === undefined) {
    read = takeApart(tag);
    if (tagsRead.size >= 1_000) tagsRead.clear();
    tagsRead.set(tag, read);
  }
  return read;
}

/** The same few come again and again. */
const tagsRead = new Map<string, CommandTag>();

function takeApart(tag: string): CommandTag {
  const match = /^(.*?)(?: \d+)? (\d+)$/.exec(tag);
  if (!match) return { command: tag, affectedRows: 0 };
  const command = match[1]!;
  return { command, affectedRows: readers.has(command) ? 0 : Number(match[2]) };
}

/** The number in their tag counts rows that were read. */
const readers = new Set(['SELECT', 'FETCH', 'MOVE']);

const MAX_VALUES = 65_535;

function tooMany(count: number): ConfigError {
  return new ConfigError(
    `The statement has ${count} values; PostgreSQL takes ${MAX_VALUES}. Send fewer rows at a time, or pass a list as one value: = ANY($1). Nothing was sent.`,
    { kind: 'usage', code: 'DAL_STATEMENT' },
  );
}

function checkText(text: string): void {
  // A zero byte would end the text on the wire and shift the rest into other fields of the message.
  if (text.includes('\0')) {
    throw new ConfigError('The text of the statement holds a zero byte. Nothing was sent.', {
      kind: 'usage',
      code: 'DAL_STATEMENT',
    });
  }
}

function copyRefused(direction: string): ConfigError {
  return new ConfigError(
    `COPY ... ${direction} can't run as a statement: its data doesn't travel as rows.`,
    { kind: 'usage', code: 'DAL_STATEMENT' },
  );
}
