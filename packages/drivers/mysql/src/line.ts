import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { checkServerIdentity, type TLSSocket } from 'node:tls';
import type { LibraryOptions, NativeStatement, TlsSettings } from '@dal/core';
import mysql, { type Connection, type ConnectionOptions } from 'mysql2';
import manifest from 'mysql2/package.json' with { type: 'json' };
import type { OutgoingPacket } from './message.ts';
import type { Field, Packet, RowParser, Wire } from './protocol.ts';

export type { Connection } from 'mysql2';

// Read once: the library's own are getters that load a module every time.
const typeNames = mysql.Types as unknown as Readonly<Record<number, string | undefined>>;
const encodings = (mysql as unknown as { CharsetToEncoding: readonly string[] }).CharsetToEncoding;

/** The protocol's name for a column type, such as `LONGLONG`. */
export function typeName(type: number): string | undefined {
  return typeNames[type];
}

/** mysql2's own version. */
export function libraryVersion(): string {
  return manifest.version;
}

export interface Handshake {
  readonly serverVersion: string;
}

export interface Command extends EventEmitter {
  on(event: 'fields', listener: (fields: Field[] | undefined) => void): this;
  on(event: 'result', listener: (row: unknown, index?: number) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'end', listener: () => void): this;
}

export interface CommandText {
  readonly sql: string;
  readonly rowsAsArray: boolean;
  /** Makes the content of the file that LOAD DATA LOCAL asks for. */
  readonly infileStreamFactory?: (path: string) => Readable;
}

/** A text with the user's options for it, of those that mysql2 has. */
export type LibraryText = CommandText & LibraryOptions;

export function libraryText({ text, rowMode, libraryOptions }: NativeStatement): LibraryText {
  // What belongs to the layer stays there: the time, the text and the values.
  const { timeout: _, values: _values, ...options } = libraryOptions ?? {};
  return { ...options, sql: text, rowsAsArray: rowMode === 'array' };
}

/** The values written into the text, as `query` of mysql2 does it: also lists, objects and names (`??`). */
export function writtenText(statement: NativeStatement): LibraryText {
  const { text, values, libraryOptions } = statement;
  const { stringifyObjects = false, timezone = 'local' } = libraryOptions ?? {};
  const sql = mysql.format(text, values as never, stringifyObjects as boolean, timezone as string);
  return { ...libraryText(statement), sql };
}

export type Answered = (error: Error | null, rows?: unknown, fields?: unknown) => void;

/** The part of mysql2's connection that is used here; its types leave some of it out. */
interface Library extends EventEmitter {
  readonly threadId: number;
  readonly stream: Socket;
  readonly config: { charsetNumber: number };
  readonly clientEncoding: string;
  query(text: CommandText, answered?: Answered): Command;
  ping(answered: (error?: Error | null) => void): void;
  reset(answered: (error?: Error | null) => void): void;
  pause(): void;
  resume(): void;
  end(): void;
  addCommand(command: object): unknown;
  _resetSequenceId(): void;
  writePacket(packet: OutgoingPacket): void;
  handlePacket(packet?: Packet): void;
  startTLS(onSecure: (error?: Error | null) => void): void;
}

interface LibraryClass {
  new (settings: { config: unknown }): Library;
  createQuery(
    text: LibraryText,
    answered: Answered | undefined,
    _: undefined,
    config: object,
  ): LibraryCommand;
}

/** A command as mysql2's connection runs it. */
interface LibraryCommand extends Command {
  execute(packet: Packet | undefined, connection: Library): boolean;
}

// Both are exported, though mysql2's types tell of other shapes.
const library = mysql as unknown as {
  readonly Connection: LibraryClass;
  readonly ConnectionConfig: new (options: ConnectionOptions) => unknown;
};
const LibraryConnection: LibraryClass = library.Connection;

/** What mysql2 knows about reading rows of prepared statements, which it keeps to itself. */
interface ExecuteReader {
  readField(this: object, packet: Packet, connection: Library): unknown;
  readonly constructor: new (
    options: object,
    answered?: Answered,
  ) => LibraryCommand & {
    start(packet: undefined, connection: Library): unknown;
  };
  resultsetHeader: unknown;
  buildParserFromFields(
    this: { readonly options: { readonly rowsAsArray: boolean } },
    fields: readonly Field[],
    connection: Library,
  ): new () => RowParser;
}

/** Found by asking for a command that is never sent. */
const executeReader: ExecuteReader = (() => {
  let reader: ExecuteReader | undefined;
  const nowhere = { addCommand: <C>(command: C) => command, _statements: { set: () => undefined } };
  type Statement = { execute(values: readonly unknown[]): ExecuteReader };
  const { prepare } = LibraryConnection.prototype as unknown as {
    prepare(
      this: object,
      text: object,
      done: (error: unknown, statement: Statement) => void,
    ): { prepareDone(connection: object): void };
  };
  prepare
    .call(nowhere, { sql: '' }, (_, statement) => {
      reader = Object.getPrototypeOf(statement.execute([])) as ExecuteReader;
    })
    .prepareDone(nowhere);
  return reader as unknown as ExecuteReader;
})();

const IN_TRANSACTION = 1;

/**
 * mysql2's connection, and the only place that knows mysql2. It adds what the library keeps to
 * itself: the status flags behind a result set, one listener from birth to death, and a check of the
 * certificate's name that works for addresses too.
 */
export class Line extends LibraryConnection implements Wire {
  /** The TCP or Unix socket underneath, also below TLS. */
  readonly socket: Socket;
  /** What TLS said was wrong, before mysql2 renames it. */
  tlsErrorCode: string | undefined;
  /** Called once, when the line can't be used any more, whoever ended it. */
  onEnd: (error: unknown) => void = () => undefined;
  #status = 0;
  #readsOk = false;
  #ended = false;
  #dropped = false;
  /** This line's settings, but for values, which are read as mysql2 does by default. */
  #asLibrary: Library['config'] | undefined;
  readonly #tls: TlsSettings | false;
  readonly #host: string;

  constructor(socket: Socket, options: ConnectionOptions, tls: TlsSettings | false, host: string) {
    super({ config: new library.ConnectionConfig({ ...options, stream: () => socket }) });
    this.socket = socket;
    this.#tls = tls;
    this.#host = host;
    // Both outlive everything else on purpose: without a listener an 'error' ends the process.
    this.on('error', (error: unknown) => this.#end(error));
    socket.on('close', () => this.#end(connectionLost()));
  }

  /** mysql2's object as its users know it. */
  get raw(): Connection {
    return this as unknown as Connection;
  }

  /** What the server said last. */
  get inTransaction(): boolean {
    return (this.#status & IN_TRANSACTION) !== 0;
  }

  /** Nothing can be sent any more. */
  get ended(): boolean {
    return this.#ended || this.#dropped;
  }

  /** What texts are encoded in here; false after a user's `SET NAMES` for something else. */
  get speaksUtf8(): boolean {
    return encodings[this.config.charsetNumber] === 'utf8';
  }

  /** Takes the status from an answer that has been read elsewhere. */
  noteStatus(status: number): void {
    this.#status = status;
  }

  /** Reads the description of a column. */
  readField(packet: Packet): Field {
    const fields: Field[] = [];
    const command = { _receivedFieldsCount: 0, _fieldCount: 0, _fields: [fields], _resultIndex: 0 };
    executeReader.readField.call(command, packet, this);
    return fields[0] as Field;
  }

  /** A reader of rows with these columns, compiled (and remembered) by mysql2. */
  rowParser(fields: readonly Field[], rowsAsArray: boolean): RowParser {
    const Parser = executeReader.buildParserFromFields.call(
      { options: { rowsAsArray } },
      fields,
      this,
    );
    return new Parser();
  }

  /**
   * Sends a statement without values. mysql2 adds up the digits of a DOUBLE one by one, which is wrong in
   * the last bit of long ones: it is told that they are decimals, which it hands out as texts.
   */
  ask(text: CommandText, answered?: Answered): Command {
    const command = this.query(text, answered);
    command.on('fields', (fields) => fields?.forEach(readDoubleAsText));
    return command;
  }

  /** Sends a statement without values; mysql2 reads the answer as it does by default. */
  askAsLibrary(text: LibraryText, answered?: Answered): Command {
    return this.#runAsLibrary(
      LibraryConnection.createQuery(text, answered, undefined, this.config),
    );
  }

  /** Runs a prepared statement; mysql2 reads the answer as it does by default. */
  executeAsLibrary(text: LibraryText, packet: OutgoingPacket, answered?: Answered): Command {
    const command = new executeReader.constructor({ ...text, statement: {} }, answered);
    command.start = (_, connection) => {
      Object.assign(command, {
        _connection: connection,
        options: { ...LIBRARY_DEFAULTS, ...text },
      });
      connection.writePacket(packet);
      return executeReader.resultsetHeader;
    };
    return this.#runAsLibrary(command);
  }

  /** mysql2's own command, which finds the connection set as mysql2 sets it by default. */
  #runAsLibrary(command: LibraryCommand): Command {
    const { config } = this;
    this.#asLibrary ??= Object.create(config, LIBRARY_SETTINGS) as Library['config'];
    const asLibrary = this.#asLibrary;
    const { execute } = command;
    const mine = this as { config: Library['config'] };
    command.execute = (packet, connection) => {
      mine.config = asLibrary;
      try {
        return execute.call(command, packet, connection);
      } finally {
        mine.config = config;
        // An answer told of another character set.
        if (Object.hasOwn(asLibrary, 'charsetNumber')) {
          config.charsetNumber = asLibrary.charsetNumber;
          Reflect.deleteProperty(asLibrary, 'charsetNumber');
        }
      }
    };
    this.addCommand(command);
    return command;
  }

  /** Asks for a sign of life; the answer also says whether a transaction is open. */
  sendPing(answered: (error?: Error | null) => void): void {
    this.ping((error) => {
      this.#readsOk = false;
      answered(error);
    });
    this.#readsOk = true;
  }

  /** Drops the sockets at once; what waits for an answer is rejected by their closing. */
  drop(): void {
    this.#dropped = true;
    this.stream.destroy();
    this.socket.destroy();
  }

  override handlePacket(packet?: Packet): void {
    // mysql2 calls this from its constructor too, without a packet and before our fields exist.
    if (packet !== undefined) this.#readStatus(packet);
    super.handlePacket(packet);
  }

  override startTLS(onSecure: (error?: Error | null) => void): void {
    super.startTLS((error) => {
      const problem: NodeJS.ErrnoException | undefined = error ?? this.#identityProblem();
      this.tlsErrorCode = problem?.code;
      // Before the password leaves.
      onSecure(problem);
    });
  }

  #readStatus(packet: Packet): void {
    const { buffer, offset } = packet;
    const mark = buffer[offset];
    // EOF: mark, two bytes of warnings, two of status; four bytes of header before it.
    if (mark === 0xfe && packet.length() === 9) this.#status = buffer.readUInt16LE(offset + 3);
    // OK to a ping: mark, no rows, no id, status.
    else if (this.#readsOk && mark === 0 && packet.length() >= 9) {
      this.#status = buffer.readUInt16LE(offset + 3);
    }
  }

  #identityProblem(): Error | undefined {
    if (!this.#tls || !this.#tls.rejectUnauthorized) return undefined;
    const certificate = (this.stream as TLSSocket).getPeerCertificate(true);
    if (this.#tls.checkServerIdentity) return this.#tls.checkServerIdentity();
    return checkServerIdentity(this.#tls.servername ?? this.#host, certificate);
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.drop();
    this.onEnd(error);
    this.emit('ended', error);
  }
}

/** What mysql2 does where nobody says otherwise. */
const LIBRARY_DEFAULTS = {
  timezone: 'local',
  dateStrings: false,
  jsonStrings: false,
  supportBigNumbers: false,
  bigNumberStrings: false,
};

const LIBRARY_SETTINGS: PropertyDescriptorMap = Object.fromEntries(
  Object.entries(LIBRARY_DEFAULTS).map(([name, value]) => [name, { value }]),
);

const DOUBLE = 5;
const DECIMAL = 246;

function readDoubleAsText(field: Field): void {
  if (field.columnType === DOUBLE)
    Object.assign(field, { columnType: DECIMAL, isDoubleText: true });
}

/** The error for a call on a line that has ended already. */
export function closedError(): Error {
  return Object.assign(new Error('The session has ended; nothing was sent.'), {
    code: 'DAL_SESSION_ENDED',
    fatal: true,
  });
}

function connectionLost(): Error {
  return Object.assign(new Error('Connection lost: the server closed the connection.'), {
    code: 'PROTOCOL_CONNECTION_LOST',
    fatal: true,
  });
}
