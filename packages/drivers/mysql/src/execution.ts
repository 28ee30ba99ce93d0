import { ConfigError, type ValueOptions } from '@dal/core';
import type { ExecutePacket } from './execute-packet.ts';
import { emptyPacket } from './message.ts';
import { columnsOf, type RowReaders, rowReaders } from './native-result.ts';
import {
  ERROR,
  errorOf,
  type Field,
  isEof,
  LOCAL_INFILE,
  MORE_RESULTS,
  OK,
  type OkAnswer,
  type Packet,
  type Prepared,
  readOk,
  type Shape,
  type Wire,
} from './protocol.ts';

/** Receives rows one by one instead of all at the end, and reads them by itself. */
export type RowSink = (row: unknown, readers: RowReaders) => void;

/** What an execution answered: rows with their shape, counts, or (of a CALL) both. */
export interface Executed {
  readonly rows: unknown[];
  readonly shape: Shape | undefined;
  readonly ok: OkAnswer | undefined;
}

export type ExecutionAnswered = (error: Error | null, executed?: Executed) => void;

/** One execution of a prepared statement, in mysql2's queue. Leaner than mysql2's own command. */
export class Execution implements Executed {
  readonly onResult: (error: Error) => void;
  rows: unknown[] = [];
  shape: Shape | undefined;
  ok: OkAnswer | undefined;
  readonly #prepared: Prepared;
  readonly #packet: ExecutePacket;
  readonly #text: string;
  readonly #rowsAsArray: boolean;
  readonly #options: ValueOptions;
  readonly #answered: ExecutionAnswered;
  readonly #sink: RowSink | undefined;
  #state: number = START;
  /** Columns of the result that is being read, and how many of them were told. */
  #columns = 0;
  #told = 0;
  /** As far as the columns are those of the shape that is known; then they needn't be read. */
  #known: Shape | undefined;
  #fields: Field[] = [];
  #written: Buffer[] = [];
  /** The first result with rows counts; those of the others are passed over. */
  #passesOver = false;
  #problem: unknown;

  constructor(
    prepared: Prepared,
    packet: ExecutePacket,
    text: string,
    rowsAsArray: boolean,
    options: ValueOptions,
    answered: ExecutionAnswered,
    sink?: RowSink,
  ) {
    this.#prepared = prepared;
    this.#packet = packet;
    this.#text = text;
    this.#rowsAsArray = rowsAsArray;
    this.#options = options;
    this.#answered = answered;
    this.#sink = sink;
    // mysql2 calls it when the line breaks.
    this.onResult = answered;
  }

  execute(packet: Packet | undefined, wire: Wire): boolean {
    if (packet === undefined) return this.#start(wire);
    const mark = packet.buffer[packet.offset];
    if (mark === ERROR) {
      this.#answered(errorOf(packet, wire, this.#text));
      return true;
    }
    switch (this.#state) {
      case ROWS:
        if (isEof(packet)) return this.#endRows(packet, wire);
        if (!this.#passesOver) this.#readRow(packet);
        return false;
      case COLUMNS:
        this.#readColumn(packet, wire);
        return false;
      case COLUMNS_END:
        this.#state = ROWS;
        return false;
      default:
        return this.#readHeader(packet, wire);
    }
  }

  #start(wire: Wire): boolean {
    const { takes, id } = this.#prepared;
    const { values } = this.#packet;
    // MariaDB takes one value too many without a word, and reads the others from the wrong place.
    if (takes !== values) {
      this.#answered(wrongCount(takes, values));
      return true;
    }
    this.#packet.setStatement(id);
    wire._resetSequenceId();
    wire.writePacket(this.#packet);
    this.#state = HEADER;
    return false;
  }

  #readHeader(packet: Packet, wire: Wire): boolean {
    const mark = packet.buffer[packet.offset];
    if (mark === OK) {
      this.ok = readOk(packet);
      wire.noteStatus(this.ok.serverStatus);
      return this.#endResult(this.ok.serverStatus);
    }
    if (mark === LOCAL_INFILE) {
      // Nobody here has promised a file.
      wire.writePacket(emptyPacket());
      this.#problem ??= new ConfigError('The server asked for a file; none was sent.', {
        kind: 'usage',
        code: 'DAL_FILE_ASKED',
      });
      return false;
    }
    this.#columns = packet.readLengthCodedNumber();
    this.#told = 0;
    this.#passesOver = this.shape !== undefined;
    this.#known = this.#prepared.shapes[this.#rowsAsArray ? 1 : 0];
    if (this.#known?.fields.length !== this.#columns) this.#known = undefined;
    this.#state = COLUMNS;
    return false;
  }

  #readColumn(packet: Packet, wire: Wire): void {
    const at = this.#told++;
    if (this.#known !== undefined) {
      if (isSame(packet, this.#known.written[at])) {
        if (this.#told === this.#columns) this.#endColumns(wire);
        return;
      }
      this.#fields = this.#known.fields.slice(0, at);
      this.#written = this.#known.written.slice(0, at);
      this.#known = undefined;
    }
    this.#written.push(Buffer.from(packet.buffer.subarray(packet.offset, packet.end)));
    this.#fields.push(wire.readField(packet));
    if (this.#told === this.#columns) this.#endColumns(wire);
  }

  #endColumns(wire: Wire): void {
    this.#state = COLUMNS_END;
    if (this.#passesOver) {
      this.#fields = [];
      this.#written = [];
      return;
    }
    try {
      this.shape = this.#known ?? this.#newShape(wire);
    } catch (error) {
      // mysql2 makes no rows with a column called __proto__.
      this.#problem ??= error;
      this.#passesOver = true;
    }
  }

  #newShape(wire: Wire): Shape {
    const fields = this.#fields;
    const written = this.#written;
    this.#fields = [];
    this.#written = [];
    const shape: Shape = {
      fields,
      written,
      columns: columnsOf(fields),
      parser: wire.rowParser(fields, this.#rowsAsArray),
      readers: rowReaders(fields, this.#options, this.#rowsAsArray),
    };
    this.#prepared.shapes[this.#rowsAsArray ? 1 : 0] = shape;
    return shape;
  }

  #readRow(packet: Packet): void {
    const { parser, fields, readers } = this.shape as Shape;
    const row = parser.next(packet, fields, NO_OPTIONS);
    if (this.#sink) {
      this.#sink(row, readers);
      return;
    }
    this.rows.push(row);
    if (readers.length > 0 && this.#problem === undefined) {
      try {
        readers.read(row as Record<string | number, unknown>);
      } catch (error) {
        // The other rows still have to be taken from the line.
        this.#problem = error;
      }
    }
  }

  #endRows({ buffer, offset }: Packet, wire: Wire): boolean {
    const status = buffer.readUInt16LE(offset + 3);
    wire.noteStatus(status);
    return this.#endResult(status);
  }

  #endResult(status: number): boolean {
    this.#state = HEADER;
    if ((status & MORE_RESULTS) !== 0) return false;
    if (this.#problem === undefined) this.#answered(null, this);
    else this.#answered(this.#problem as Error);
    return true;
  }
}

export function wrongCount(takes: number, given: number): ConfigError {
  return new ConfigError(
    `The statement takes ${takes} values, but ${given} were given. It was not run.`,
    { kind: 'usage', code: 'DAL_VALUE_COUNT' },
  );
}

const NO_OPTIONS = {};

// What has been read of the answer.
const START = 0;
const HEADER = 1;
const COLUMNS = 2;
const COLUMNS_END = 3;
const ROWS = 4;

function isSame({ buffer, offset, end }: Packet, written: Buffer | undefined): boolean {
  if (written?.length !== end - offset) return false;
  for (let at = 0; at < written.length; at++) {
    if (written[at] !== buffer[offset + at]) return false;
  }
  return true;
}
