import {
  ConfigError,
  type NativeStatement,
  StatementCache,
  type StatementCacheStats,
  type ValueOptions,
} from '@dal/core';
import { executePacket, type ExecutePacket } from './execute-packet.ts';
import { Execution, type ExecutionAnswered, type RowSink, wrongCount } from './execution.ts';
import type { Flavor } from './flavor.ts';
import { valuesOfLibrary } from './library-values.ts';
import { type Answered, type Command, libraryText, type Line } from './line.ts';
import { Closing, Preparation } from './preparation.ts';
import type { Prepared } from './protocol.ts';

/** max_prepared_stmt_count is reached, for all sessions of the server together. */
const TOO_MANY = 1461;
/** The server does not know the statement any more, or not in this shape. */
const STALE = new Set([1243, 1615]);

/**
 * Runs statements with values in the binary protocol. Those with a name are worth keeping and stay
 * prepared, within bounds; others are closed as soon as they have run.
 */
export class SessionStatements {
  readonly #line: Line;
  readonly #options: ValueOptions;
  readonly #flavor: Flavor;
  readonly #cache: StatementCache<Prepared>;
  /** Those in the cache. */
  readonly #kept = new Set<Prepared>();

  constructor(line: Line, options: ValueOptions, most: number, flavor: Flavor) {
    this.#line = line;
    this.#flavor = flavor;
    this.#options = options;
    this.#cache = new StatementCache<Prepared>({
      initial: Math.min(INITIAL, most),
      max: most,
      // The server plans each execution anew.
      lifetimeMs: 0,
      onEvict: (prepared) => {
        this.#kept.delete(prepared);
        this.#close(prepared);
      },
    });
  }

  /** @throws ConfigError for values that the engine can't hold; nothing was sent then */
  run(statement: NativeStatement, answered: ExecutionAnswered, sink?: RowSink): void {
    const packet = this.packetOf(statement, statement.values);
    this.withPrepared(statement, (error, prepared, done) => {
      if (prepared === undefined) return answered(error);
      this.execute(
        statement,
        prepared,
        packet,
        (failure, executed) => {
          done(failure);
          answered(failure, executed);
        },
        sink,
      );
    });
  }

  /**
   * The same in mysql2's own way: it reads the rows and makes the answer.
   *
   * @param watch gets the command, for rows as they come; `answered` is then told of the end alone
   *
   * @throws ConfigError
   */
  runAsLibrary(
    statement: NativeStatement,
    answered: Answered,
    watch?: (command: Command, ended: (error: Error | null) => void) => void,
  ): void {
    const packet = this.packetOf(statement, statement.values);
    this.withPrepared(statement, (error, prepared, done) => {
      if (prepared === undefined) return answered(error);
      if (prepared.takes !== packet.values) {
        done(null);
        return answered(wrongCount(prepared.takes, packet.values));
      }
      packet.setStatement(prepared.id);
      const ended: Answered = (failure, rows, fields) => {
        done(failure);
        answered(failure, rows, fields);
      };
      const command = this.#line.executeAsLibrary(
        libraryText(statement),
        packet,
        watch ? undefined : ended,
      );
      watch?.(command, ended);
    });
  }

  /** @throws ConfigError for values that the engine can't hold */
  packetOf(
    { mapping }: Pick<NativeStatement, 'mapping'>,
    values: readonly unknown[],
  ): ExecutePacket {
    return executePacket(mapping === 'library' ? valuesOfLibrary(values, this.#flavor) : values);
  }

  /** Finds or prepares a statement; whoever gets it says when it is `done` with it. */
  withPrepared({ text, name }: Statement, use: UsePrepared): void {
    if (!this.#line.speaksUtf8) return use(notUtf8(), undefined, nothing);
    const isKept = name !== undefined;
    const known = isKept ? this.#cache.get(text) : undefined;
    if (known) return use(null, known, (error) => this.#forgetStale(text, known, error));
    this.#prepare(text, true, (error, prepared) => {
      if (prepared === undefined) return use(error, undefined, nothing);
      if (isKept && this.#cache.put(text, prepared)) {
        this.#kept.add(prepared);
        return use(null, prepared, (failure) => this.#forgetStale(text, prepared, failure));
      }
      use(null, prepared, () => this.#close(prepared));
    });
  }

  /** Queues one execution of a statement that is prepared. */
  execute(
    { text, rowMode }: Statement,
    prepared: Prepared,
    packet: ExecutePacket,
    answered: ExecutionAnswered,
    sink?: RowSink,
  ): void {
    this.#line.addCommand(
      new Execution(prepared, packet, text, rowMode === 'array', this.#options, answered, sink),
    );
  }

  /** After a reset of the session the server has closed them all. */
  clear(): void {
    this.#kept.clear();
    this.#cache.clear();
  }

  stats(): StatementCacheStats {
    return this.#cache.stats();
  }

  #prepare(text: string, mayMakeRoom: boolean, answered: Preparation['onResult']): void {
    this.#line.addCommand(
      new Preparation(text, (error, prepared) => {
        const isFull = (error as { errno?: number } | null)?.errno === TOO_MANY;
        if (!isFull || !mayMakeRoom || this.#kept.size === 0) {
          return answered(error, prepared);
        }
        // The session's own are of less use than the one that is needed now.
        for (const other of this.#kept) this.#close(other);
        this.clear();
        this.#prepare(text, false, answered);
      }),
    );
  }

  #forgetStale(text: string, prepared: Prepared, error: Error | null): void {
    if (error === null || !STALE.has((error as { errno?: number }).errno ?? 0)) return;
    if (!this.#cache.delete(text)) return;
    this.#kept.delete(prepared);
    this.#close(prepared);
  }

  #close({ id }: Prepared): void {
    if (!this.#line.ended) this.#line.addCommand(new Closing(id));
  }
}

type Statement = Pick<NativeStatement, 'text' | 'name' | 'rowMode'>;

/** Gets the statement, or the reason why there is none. */
type UsePrepared = (
  error: Error | null,
  prepared: Prepared | undefined,
  done: (error: Error | null) => void,
) => void;

const nothing = (): void => undefined;

/** How many there may be at the beginning; the use decides what becomes of that. */
const INITIAL = 100;

export function notUtf8(): ConfigError {
  return new ConfigError(
    'The session was set to a character set other than utf8mb4, so values can not be sent safely. Leave SET NAMES out, and use CONVERT(... USING ...) in the statement. Nothing was sent.',
    { code: 'DAL_CHARSET', kind: 'usage' },
  );
}
