import { Readable } from 'node:stream';
import { type LoadBatch, type LoadTarget, QueryError, quoteIdentifier } from '@dal/core';
import { type LoadColumn, loadKind, loadLine } from './load-format.ts';
import type { Line } from './line.ts';
import type { OkAnswer } from './protocol.ts';
import { refuseFile } from './refuse-file.ts';
import { mysqlDialect } from './mysql-dialect.ts';

/** Bytes in one message of the file, well below every max_allowed_packet. */
const CHUNK = 64 * 1024;
/** What the statement calls its file. No file of this name is ever opened. */
const FILE = 'dal-rows';

/** What a load needs of its session. */
export interface LoadSession {
  readonly line: Line;
  /** Runs a statement without values and answers its rows. */
  readonly ask: (text: string) => Promise<readonly unknown[]>;
  /** Gets what ends the load from outside. */
  readonly onStop: (stop: (error: Error) => void) => void;
}

/**
 * Loads rows with LOAD DATA LOCAL, from a stream instead of a file. It is INSERT IGNORE by nature:
 * rows that don't fit are bent or left out, with a warning. Every warning is an error here, so that
 * the transaction around it is rolled back.
 */
export async function loadRows(
  session: LoadSession,
  target: LoadTarget,
  batches: AsyncIterable<LoadBatch>,
): Promise<number> {
  const table = target.table.map(quote).join('.');
  const columns = await readColumns(session, table, target.columns);
  let sent = 0;
  const iterator = batches[Symbol.asyncIterator]();
  const file = asFile(inChunks(columns, iterator, () => sent++));
  session.onStop((error) => file.destroy(error));
  // Also when mysql2 has stopped listening: an error without a listener would end the process.
  file.on('error', () => undefined);
  try {
    const answer = await send(session.line, loadStatement(table, columns), file);
    await refuseWarnings(session, answer, sent);
    return answer.affectedRows;
  } finally {
    file.destroy();
    // The source may be in the middle of something that never ends.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
    const used = variables(columns);
    if (used.length > 0 && !session.line.ended) {
      await session.ask(`SET ${used.map((name) => `${name} = NULL`).join(', ')}`);
    }
  }
}

/** True when this server will not take a file from anybody. */
export function isForbidden(error: unknown): boolean {
  return forbidden.has((error as { errno?: number } | null)?.errno ?? 0);
}

/** Switched off there (MySQL; both in older words; MariaDB). */
const forbidden = new Set([3948, 1148, 4166]);
/** Without rights to look at the table an INSERT may still be allowed. */
const unseen = new Set([1142, 1143, 1044]);

/** The statement; the marks are numbers, since what a backslash means depends on `sql_mode`. */
function loadStatement(table: string, columns: readonly LoadColumn[]): string {
  const places = columns.map(({ name }, at) => variable(columns, at) ?? quote(name));
  const sets = columns.flatMap(({ name, kind }, at) => {
    const from = variable(columns, at);
    if (from === undefined) return [];
    return `${quote(name)} = ${kind === 'bits' ? `CAST(${from} AS UNSIGNED)` : `UNHEX(${from})`}`;
  });
  return `LOAD DATA LOCAL INFILE '${FILE}' INTO TABLE ${table} CHARACTER SET utf8mb4 FIELDS TERMINATED BY 0x09 ESCAPED BY 0x5C LINES TERMINATED BY 0x0A (${places.join(', ')})${sets.length > 0 ? ` SET ${sets.join(', ')}` : ''}`;
}

/** Columns that are not sent as they are go through a variable. */
function variable(columns: readonly LoadColumn[], at: number): string | undefined {
  const kind = columns[at]?.kind;
  return kind === 'bytes' || kind === 'bits' ? `@dal_load_${at}` : undefined;
}

function variables(columns: readonly LoadColumn[]): string[] {
  return columns.flatMap((_, at) => variable(columns, at) ?? []);
}

function quote(name: string): string {
  return quoteIdentifier(name, mysqlDialect);
}

/** @throws an error with `loadRefused` for a table that can only be filled by INSERT */
async function readColumns(
  { ask }: LoadSession,
  table: string,
  names: readonly string[],
): Promise<LoadColumn[]> {
  const types = new Map<string, string>();
  try {
    for (const row of await ask(`SHOW COLUMNS FROM ${table}`)) {
      const { Field, Type } = row as { readonly Field: string; readonly Type: unknown };
      types.set(Field.toLowerCase(), String(Type));
    }
  } catch (error) {
    throw unseen.has((error as { errno?: number }).errno ?? 0) ? refused(error as Error) : error;
  }
  return names.map((name) => {
    // A name that is not there is for the server to refuse.
    const kind = loadKind(types.get(name.toLowerCase()) ?? '');
    if (kind === undefined) throw refused(new Error(`Column "${name}" is an ENUM or SET.`));
    return { name, kind };
  });
}

function refused(error: Error): Error {
  return Object.assign(error, { loadRefused: true });
}

function send(line: Line, text: string, file: Readable): Promise<OkAnswer> {
  let isGiven = false;
  // Only this statement has something to give, and only once.
  const infileStreamFactory = (path: string): Readable => {
    if (isGiven || path !== FILE) return refuseFile();
    isGiven = true;
    return file;
  };
  return new Promise((resolve, reject) => {
    line.query({ sql: text, rowsAsArray: false, infileStreamFactory }, (error, answer) => {
      if (error) return reject(isForbidden(error) ? refused(error) : error);
      line.noteStatus((answer as OkAnswer).serverStatus);
      resolve(answer as OkAnswer);
    });
  });
}

/** Not `Readable.from`, which can't be ended while its source makes it wait. */
function asFile(chunks: AsyncGenerator<Buffer, void, void>): Readable {
  const file = new Readable({
    highWaterMark: CHUNK,
    read: () => {
      chunks.next().then(
        ({ done, value }) => file.push(done ? null : value),
        (error: unknown) => file.destroy(error as Error),
      );
    },
  });
  return file;
}

async function* inChunks(
  columns: readonly LoadColumn[],
  iterator: AsyncIterator<LoadBatch>,
  count: () => number,
): AsyncGenerator<Buffer, void, void> {
  let text = '';
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one batch after another
    const { done, value: batch } = await iterator.next();
    if (done) break;
    for (const row of batch) {
      text += loadLine(columns, row, count());
      if (text.length < CHUNK) continue;
      yield* pieces(Buffer.from(text));
      text = '';
    }
  }
  if (text !== '') yield* pieces(Buffer.from(text));
}

function* pieces(bytes: Buffer): Generator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

/** @throws an error with the number of the first warning that INSERT would have refused */
async function refuseWarnings(
  { ask }: LoadSession,
  { warningStatus, affectedRows }: OkAnswer,
  sent: number,
): Promise<void> {
  if (warningStatus === 0 && affectedRows === sent) return;
  const shown = warningStatus === 0 ? [] : await ask('SHOW WARNINGS');
  const warnings = shown as readonly { Level: string; Code: unknown; Message: string }[];
  const bad = warnings.find(({ Level }) => Level !== 'Note');
  if (bad !== undefined) {
    throw Object.assign(new Error(bad.Message), { errno: Number(bad.Code), sqlState: '' });
  }
  // Notes only, and all of them seen: what INSERT would do without a word.
  if (affectedRows === sent && warnings.length >= warningStatus) return;
  throw new QueryError(
    `The server took ${affectedRows} of ${sent} rows and does not say why (max_error_count may be too low). Nothing of the load stays.`,
    { kind: 'data', code: 'DAL_LOAD_INCOMPLETE', fault: { kind: 'data', applied: 'no' } },
  );
}
