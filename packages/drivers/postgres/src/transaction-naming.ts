import type { NativeStatement, SessionStatus, TransactionOutcome } from '@dal/core';
import type { SessionIds } from './asking-run.ts';
import type { Ask } from './end-session.ts';
import { classifyPostgres } from './postgres-faults.ts';
import type { PostgresOptions } from './postgres-options.ts';
import {
  ASK_ALL,
  ASK_OUTCOME,
  ASK_WHETHER,
  isPostgres,
  isSameServer,
  outcomeOf,
  type Parts,
  readTransactionId,
} from './transaction-ids.ts';

/** Whether the servers of these options name their transactions; asked once for all sessions. */
const doServersName = new WeakMap<PostgresOptions, boolean>();

/** What one session knows of the names of transactions. */
export class TransactionNaming {
  readonly #session: { status(): SessionStatus };
  readonly #ask: Ask;
  readonly #options: PostgresOptions;
  readonly #ids: SessionIds = { constant: undefined };
  #isLearnt = false;

  constructor(session: { status(): SessionStatus }, ask: Ask, options: PostgresOptions) {
    this.#session = session;
    this.#ask = ask;
    this.#options = options;
  }

  /**
   * True before the first transaction of these options: a server that doesn't name transactions
   * would end one at the question.
   */
  mustLearn({ text, askTransaction }: NativeStatement): boolean {
    if (this.#isLearnt) return false;
    this.#isLearnt = doServersName.has(this.#options);
    return (
      !this.#isLearnt &&
      (askTransaction === true || text.startsWith('BEGIN')) &&
      this.#session.status() === 'idle'
    );
  }

  /** Rejects when the session fails meanwhile. */
  async learn(): Promise<void> {
    this.#isLearnt = true;
    try {
      const [parts] = (await this.#ask(ASK_WHETHER)) as [Parts];
      const does = isPostgres(parts[4]);
      doServersName.set(this.#options, does);
      if (does) this.ids().constant = parts;
    } catch (error) {
      this.#isLearnt = !isOwnTrouble(error);
      if (!this.#isLearnt) throw error;
      doServersName.set(this.#options, false);
    }
  }

  /** By itself, a statement may be one that has to be alone: VACUUM takes no other in its flight. */
  mayAsk(): boolean {
    return doServersName.get(this.#options) === true && this.#session.status() === 'transaction';
  }

  /** What the session remembers; behind a pooler each transaction may have another server. */
  ids(): SessionIds {
    return this.#options.pooler === 'none' ? this.#ids : { constant: undefined };
  }

  /** What became of a transaction of another session. Rejects when this session fails meanwhile. */
  async outcome(id: string): Promise<TransactionOutcome> {
    const name = readTransactionId(id);
    if (name === undefined) return 'unknown';
    try {
      const [parts] = (await this.#ask(ASK_ALL)) as [Parts];
      if (!isSameServer(name, parts)) return 'unknown';
      return outcomeOf(name, parts, await this.#statusOf(name.number));
    } catch (error) {
      if (isOwnTrouble(error)) throw error;
      return 'unknown';
    }
  }

  async #statusOf(number: string): Promise<string | null | undefined> {
    try {
      const [row] = (await this.#ask(ASK_OUTCOME, [number])) as [[string | null]];
      return row[0];
    } catch (error) {
      // The number "is in the future": it has not been given yet.
      if ((error as { code?: unknown }).code === '22023') return undefined;
      throw error;
    }
  }
}

/** An error that tells nothing of what the server can do. */
function isOwnTrouble(error: unknown): boolean {
  const { kind, connectionLost } = classifyPostgres(error);
  return connectionLost === true || kind === 'cancelled' || kind === 'statementTimeout';
}
