import type { NativeResult } from '@dal/core';
import type { Flight } from './flight.ts';
import type { PgLine } from './pg-client.ts';
import type { PreparedStatement } from './prepared-statements.ts';
import { notePrepared, parsed } from './statement-run.ts';
import { ASK_ALL, ASK_CHANGING, type Parts, transactionId } from './transaction-ids.ts';
import { WholeRun } from './whole-run.ts';

/** What a session remembers of the names of its transactions. */
export interface SessionIds {
  /** The parts that never change; undefined until they are known. */
  constant: Parts | undefined;
}

/**
 * A statement with the question for the transaction's id behind it, in the same flight. When the
 * statement fails, the server skips the question.
 */
export class AskingRun extends WholeRun {
  #ids: SessionIds = { constant: undefined };
  #question: PreparedStatement | undefined;
  #isAnswered = false;
  #parts: Parts | undefined;

  remember(ids: SessionIds): this {
    this.#ids = ids;
    return this;
  }

  protected override repeated(): WholeRun {
    const { statement, context, answer, refuse } = this;
    return new AskingRun(statement, context, answer, refuse, true).remember(this.#ids);
  }

  protected override prepare(): Flight {
    this.#question =
      this.#ids.constant === undefined
        ? undefined
        : this.context.prepared.takeBeside(QUESTION, ASK_CHANGING);
    const messages = super.prepare().execute();
    const question = this.#question;
    if (question === undefined) messages.parse('', this.#text()).bind('', []);
    else parsed(messages, question).bind(question.name, []);
    return messages;
  }

  override handleCommandComplete(message: { readonly text: string }, line: PgLine): void {
    if (!this.#isAnswered) super.handleCommandComplete(message, line);
    this.#isAnswered = true;
  }

  override handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
    if (this.#isAnswered) this.#parts = message.fields;
    else super.handleDataRow(message);
  }

  protected override notePrepared(): void {
    super.notePrepared();
    if (this.#question !== undefined) notePrepared(this.#question, this.failure, undefined);
    if (this.#question === undefined && this.#parts !== undefined) {
      this.#ids.constant = this.#parts;
    }
  }

  protected override result(): NativeResult {
    const result = super.result();
    const { constant } = this.#ids;
    const id = this.#parts && constant ? transactionId(this.#parts, constant) : undefined;
    return id === undefined ? result : { ...result, transactionId: id };
  }

  #text(): string {
    return this.#ids.constant === undefined ? ASK_ALL : ASK_CHANGING;
  }
}

const QUESTION = 'dal_transaction';
