import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { checkServerIdentity, type TLSSocket } from 'node:tls';
import { ConfigError, type TlsSettings } from '@dal/core';
import mysql, { type Connection, type ConnectionOptions } from 'mysql2';

export type { Connection } from 'mysql2';

/** Parameters with a type of their own, for values whose JavaScript type says too little. */
export const TypedParameter: typeof mysql.TypedParameter = mysql.TypedParameter;

// Read once: the library's own is a getter that loads a module every time.
const typeNames = mysql.Types as unknown as Readonly<Record<number, string | undefined>>;

/** The protocol's name for a column type, such as `LONGLONG`. */
export function typeName(type: number): string | undefined {
  return typeNames[type];
}

/** mysql2's own version. */
export function libraryVersion(): string {
  const { version } = createRequire(import.meta.url)('mysql2/package.json') as { version: string };
  return version;
}

/** What a column is called and made of, as the server describes it. */
export interface Field {
  readonly name: string;
  readonly columnType: number;
  readonly columnLength: number;
  readonly decimals: number;
  /** MariaDB: `uuid`, `inet6` and the like. */
  readonly extendedTypeName?: string;
  /** MariaDB: `json` for what is LONGTEXT underneath. */
  readonly extendedFormat?: string;
}

/** The server's answer to a statement without rows. */
export interface OkAnswer {
  readonly affectedRows: number;
  /** A text beyond 2^53. */
  readonly insertId: number | string;
  readonly serverStatus: number;
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
  readonly values?: readonly unknown[];
  readonly rowsAsArray: boolean;
}

export type Answered = (error: Error | null, rows?: unknown, fields?: unknown) => void;

/** mysql2's command for one execution of a prepared statement, as far as it is looked at here. */
interface ExecuteCommand {
  readonly statement: { readonly parameters: readonly unknown[] };
  readonly parameters: readonly unknown[] | undefined;
  readonly onResult?: (error: Error) => void;
  start(packet: unknown, connection: unknown): unknown;
  emit(event: 'error', error: Error): boolean;
}

interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  length(): number;
}

/** The part of mysql2's connection that is used here; its types leave some of it out. */
interface Library extends EventEmitter {
  readonly threadId: number;
  readonly stream: Socket;
  query(text: CommandText, answered?: Answered): Command;
  execute(text: CommandText, answered?: Answered): Command;
  unprepare(text: CommandText): void;
  ping(answered: (error?: Error | null) => void): void;
  reset(answered: (error?: Error | null) => void): void;
  pause(): void;
  resume(): void;
  end(): void;
  addCommand(command: object): unknown;
  handlePacket(packet?: Packet): void;
  startTLS(onSecure: (error?: Error | null) => void): void;
}

interface LibraryClass {
  new (settings: { config: unknown }): Library;
}

// Both are exported, though mysql2's types tell of other shapes.
const library = mysql as unknown as {
  readonly Connection: LibraryClass;
  readonly ConnectionConfig: new (options: ConnectionOptions) => unknown;
};
const LibraryConnection: LibraryClass = library.Connection;

const IN_TRANSACTION = 1;

/**
 * mysql2's connection, and the only place that knows mysql2. It adds what the library keeps to
 * itself: the status flags behind a result set, one listener from birth to death, and a check of the
 * certificate's name that works for addresses too.
 */
export class Line extends LibraryConnection {
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

  /** Takes the status from an answer that mysql2 has read already. */
  noteStatus(answer: OkAnswer): void {
    this.#status = answer.serverStatus;
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

  override addCommand(command: object): unknown {
    // Executions only, and before they start: MariaDB takes one value too many without a word, and
    // then reads the others from the wrong place.
    if ('parameters' in command && 'statement' in command) {
      (command as ExecuteCommand).start = startChecked;
    }
    return super.addCommand(command);
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

function startChecked(this: ExecuteCommand, packet: unknown, connection: unknown): unknown {
  const takes = this.statement.parameters.length;
  const given = this.parameters?.length ?? 0;
  if (takes === given) {
    return (Object.getPrototypeOf(this) as ExecuteCommand).start.call(this, packet, connection);
  }
  const error = new ConfigError(
    `The statement takes ${takes} values, but ${given} were given. It was not run.`,
    { kind: 'usage', code: 'DAL_VALUE_COUNT' },
  );
  if (this.onResult) this.onResult(error);
  else this.emit('error', error);
  return null;
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
