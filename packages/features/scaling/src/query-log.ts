import {
  channels,
  duration,
  oneOf,
  type QueryMessage,
  readOptions,
  type SlowQueryMessage,
  text,
} from '@dal/core';
import { digestOf } from './digest.ts';
import { plural } from './in-words.ts';
import { Listening } from './listening.ts';
import { type Logger, type LogLevel, type WriteLine, writerOf } from './logger.ts';
import { TextCache } from './text-cache.ts';

export interface QueryLogOptions {
  /** Of a call that goes well. `off`: no line. Default: `debug`. */
  readonly level?: LogLevel | 'off';
  /** Of a call that took as long as its database's `slowQueryMs`, with its stack. Default: `warn`. */
  readonly slowLevel?: LogLevel | 'off';
  /** Of a call that ends with an error. Default: `error`. */
  readonly errorLevel?: LogLevel | 'off';
  /** Nothing is said of calls that go well in less time. Milliseconds or a text. Default: 0. */
  readonly minMs?: number | string;
  /** Only of the database with this name. Default: of all. */
  readonly database?: string;
  /**
   * The statement with `?` for its literals, as it was written, or not at all. Values of parameters are
   * never written. Default: `sanitized`.
   */
  readonly queryText?: 'sanitized' | 'asWritten' | 'off';
}

/**
 * Writes a line for every call of every database: its time, rows, tags and text, never its values. A
 * slow call has a line of its own beside that.
 *
 * @param logger such as pino's; `console` writes plain lines. Default: `console`.
 * @returns what ends it
 * @throws ConfigError for a wrong option, or a logger without one of the levels
 */
export function queryLog(logger: Logger = console, options: QueryLogOptions = {}): Disposable {
  const read = readOptions('queryLog', { ...options }, readers);
  const { level = 'debug', slowLevel = 'warn', errorLevel = 'error', minMs = 0 } = read;
  const { database, queryText = 'sanitized' } = read;
  const done = writerOf(logger, level);
  const slow = writerOf(logger, slowLevel);
  const failed = writerOf(logger, errorLevel);
  const lines = new Lines(queryText);
  const listening = new Listening('The query log');
  const concerns = (name: string): boolean => database === undefined || database === name;

  if (done || failed) {
    listening.to(channels.query.asyncEnd, (message) => {
      if (!concerns(message.database.name)) return;
      if (message.error) failed?.(...lines.ofError(message));
      else if (done && (message.durationMs ?? 0) >= minMs) done(...lines.ofCall(message));
    });
  }
  if (slow) {
    listening.to(channels.slowQuery, (message) => {
      if (concerns(message.database.name)) slow(...lines.ofSlow(message));
    });
  }
  return { [Symbol.dispose]: () => listening.stop() };
}

type Line = Parameters<WriteLine>;

/** Makes lines of messages: the fields for machines, and the same for people. */
class Lines {
  readonly #queryText: 'sanitized' | 'asWritten' | 'off';
  readonly #digests = new Map<string, TextCache<{ readonly id: string; readonly text: string }>>();

  constructor(queryText: 'sanitized' | 'asWritten' | 'off') {
    this.#queryText = queryText;
  }

  ofCall(message: QueryMessage): Line {
    const { rowCount = 0, affectedRows = 0 } = message.result ?? {};
    const fields = { ...this.#fields(message), kind: message.kind, rowCount, affectedRows };
    const outcome = rowCount > 0 ? plural(rowCount, 'row', 'rows') : `${affectedRows} affected`;
    return [fields, this.#words(message, outcome)];
  }

  ofError(message: QueryMessage): Line {
    const { kind, error } = message;
    // The server's own words may hold values.
    const fields = {
      ...this.#fields(message),
      kind,
      errorCode: error?.code,
      errorKind: error?.kind,
    };
    return [fields, this.#words(message, error?.code ?? 'error')];
  }

  ofSlow(message: SlowQueryMessage): Line {
    const { thresholdMs, stack, error } = message;
    const fields = { ...this.#fields(message), thresholdMs, stack, errorCode: error?.code };
    return [fields, `${this.#words(message, 'slow')}\n${stack}`];
  }

  #fields({ database, statement, durationMs, tags }: QueryMessage | SlowQueryMessage): object {
    const { id, text: sanitized } = this.#digestOf(statement, database);
    const shown = { sanitized, asWritten: statement, off: undefined }[this.#queryText];
    return { database: database.name, durationMs, digest: id, statement: shown, tags };
  }

  #words(message: QueryMessage | SlowQueryMessage, outcome: string): string {
    const { database, statement, durationMs = 0, tags } = message;
    const { id, text: sanitized } = this.#digestOf(statement, database);
    const shown = { sanitized, asWritten: statement, off: id }[this.#queryText];
    const labels = Object.entries(tags ?? {}).map(([key, value]) => `${key}=${String(value)}`);
    const rest = labels.length > 0 ? ` [${labels.join(', ')}]` : '';
    return `[${database.name}] ${durationMs.toFixed(1)} ms, ${outcome}: ${shown}${rest}`;
  }

  #digestOf(
    statement: string,
    { pool: { dialect } }: QueryMessage['database'],
  ): { readonly id: string; readonly text: string } {
    let known = this.#digests.get(dialect.name);
    if (!known) this.#digests.set(dialect.name, (known = new TextCache()));
    let digest = known.get(statement);
    if (!digest) known.set(statement, (digest = digestOf(statement, dialect)));
    return digest;
  }
}

const levels = oneOf('trace', 'debug', 'info', 'warn', 'error', 'off');

const readers = {
  level: levels,
  slowLevel: levels,
  errorLevel: levels,
  minMs: duration,
  database: text,
  queryText: oneOf('sanitized', 'asWritten', 'off'),
} satisfies Record<keyof QueryLogOptions, unknown>;
