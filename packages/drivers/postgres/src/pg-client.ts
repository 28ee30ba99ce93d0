import type { Socket } from 'node:net';
import pg, { Client, DatabaseError, types } from 'pg';
import manifest from 'pg/package.json' with { type: 'json' };

/**
 * The only file that names `pg`. What `@types/pg` leaves out, and libraries such as pg-cursor and
 * pg-query-stream use as well, has its types here.
 */
export { Client as PgClient };

/** The frontend messages of `pg`, written to the line as they are called. */
export interface PgLine {
  readonly stream: Socket;
  /** Statements that `pg` itself has prepared, for users of the raw client. */
  parsedStatements: Record<string, string>;
  query(text: string): void;
  parse(message: { readonly text: string; readonly name?: string }): void;
  bind(message: {
    readonly statement?: string;
    readonly values: readonly (string | Buffer | null)[];
  }): void;
  describe(message: { readonly type: 'P' | 'S'; readonly name?: string }): void;
  execute(message: { readonly rows?: number }): void;
  close(message: { readonly type: 'P' | 'S'; readonly name?: string }): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
  flush(): void;
  sync(): void;
  on(event: string, listener: (message: never) => void): this;
}

/** What the server says beside its answers. */
export interface PgNotice {
  readonly code: string;
  readonly message: string;
  readonly routine?: string;
}

export interface PgField {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: string;
}

/** Who knows how a type's text is read. */
export interface PgTypes {
  getTypeParser(oid: number, format: string): (text: string) => unknown;
}

/** The parsers of `pg` itself, with those that the program has set. */
export const libraryTypes: PgTypes = types as unknown as PgTypes;

const { utils } = pg as unknown as {
  readonly utils: { prepareValue(value: unknown): string | Buffer | null };
};

/** Writes a value as `pg` does. */
export function prepareValue(value: unknown): string | Buffer | null {
  return utils.prepareValue(value);
}

/** What `pg` calls while a statement is under way. */
export interface PgStatement {
  submit(line: PgLine): void;
  handleRowDescription(message: { readonly fields: readonly PgField[] }): void;
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void;
  handleCommandComplete(message: { readonly text: string }, line: PgLine): void;
  handleEmptyQuery(line: PgLine): void;
  handlePortalSuspended(line: PgLine): void;
  handleCopyInResponse(line: PgLine): void;
  handleCopyData(message: { readonly chunk: Buffer }): void;
  handleReadyForQuery(line: PgLine): void;
  handleError(error: unknown, line: PgLine): void;
}

/** A client that logs in over an open line, with startup parameters of ours. */
export class SessionClient extends Client {
  readonly #startup: Readonly<Record<string, string>>;

  constructor(
    config: ConstructorParameters<typeof Client>[0],
    startup: Readonly<Record<string, string>>,
  ) {
    super(config);
    this.#startup = startup;
  }

  /** Asked by `pg` for the startup message; its own would leave out most parameters. */
  getStartupConf(): Readonly<Record<string, string>> {
    return this.#startup;
  }

  get line(): PgLine {
    return this.connection as unknown as PgLine;
  }

  /** Number and key that a cancel request needs, once logged in. */
  get backend(): { readonly processID: number; readonly secretKey: number } {
    return this as unknown as { readonly processID: number; readonly secretKey: number };
  }

  run(statement: PgStatement): void {
    this.query(statement as never);
  }
}

/** True for an answer of the server, false for what `pg` made up itself. */
export function isServerAnswer(error: unknown): boolean {
  return error instanceof DatabaseError && typeof error.code === 'string';
}

/** True when `pg` could not read what came from the server. */
export function isProtocolError(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === undefined;
}

export function pgVersion(): string {
  return manifest.version;
}
