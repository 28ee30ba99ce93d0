import type { DriverConnection, NativeResult, NativeStatement, SessionStatus } from '@dal/core';
import { FakeError, sessionGone } from './fake-error.ts';
import { type FakeAnswer, waitFor } from './fake-script.ts';

export interface FakeSessionParts {
  readonly number: number;
  /** Writes the call down and says how it goes. */
  readonly ask: (call: string, statement: NativeStatement) => FakeAnswer;
  readonly lost: (error: unknown) => void;
}

/** One session of a fake driver. Counted from 1, in the order of opening. */
export class FakeSession implements DriverConnection<FakeSession> {
  readonly number: number;
  readonly #parts: FakeSessionParts;
  #status: SessionStatus = 'idle';
  #isOpen = true;
  #running: AbortController | undefined;

  constructor(parts: FakeSessionParts) {
    this.number = parts.number;
    this.#parts = parts;
  }

  get raw(): this {
    return this;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True while a call has no answer yet. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  async query(statement: NativeStatement): Promise<NativeResult> {
    const answer = await this.#run('query', statement);
    this.#follow(statement.text);
    const { rows = [], columns = [], affectedRows = 0, insertId, command } = answer;
    return {
      rows,
      columns,
      affectedRows,
      ...(insertId === undefined ? {} : { insertId }),
      ...(command === undefined ? {} : { command }),
    };
  }

  async *stream(
    statement: NativeStatement,
    batchSize: number,
  ): AsyncGenerator<unknown[], void, undefined> {
    const { rows = [] } = await this.#run('stream', statement);
    for (let start = 0; start < rows.length; start += batchSize) {
      yield rows.slice(start, start + batchSize);
    }
  }

  async cancel(): Promise<void> {
    await this.#wait('cancel');
    this.#running?.abort(new FakeError('cancelled', { kind: 'cancelled', applied: 'no' }));
  }

  async ping(): Promise<void> {
    await this.#run('ping', bare('ping'));
  }

  async reset(): Promise<void> {
    await this.#run('reset', bare('reset'));
    this.#status = 'idle';
  }

  status(): SessionStatus {
    return this.#status;
  }

  async close(): Promise<void> {
    await this.#wait('close').finally(() => this.#end());
  }

  destroy(): void {
    this.#parts.ask('destroy', bare('destroy'));
    this.#end();
  }

  /** Breaks the line, as a server that dies does: what runs rejects, and `lost` is told once. */
  lose(error: Error = sessionGone('unknown')): void {
    if (!this.#isOpen) return;
    this.#end(error);
    this.#parts.lost(error);
  }

  async #run(call: string, statement: NativeStatement): Promise<FakeAnswer> {
    const answer = this.#parts.ask(call, statement);
    if (!this.#isOpen) throw sessionGone('no');
    // The layer never runs two calls at once; to answer anyway would hide that it did.
    if (this.#running) throw new Error(`session ${this.number} is busy: ${statement.text}`);
    const running = new AbortController();
    this.#running = running;
    try {
      await waitFor(answer, running.signal);
    } finally {
      this.#running = undefined;
    }
    if (answer.loses) {
      const error = answer.error ?? sessionGone('unknown');
      this.lose(error);
      throw error;
    }
    if (answer.error !== undefined) {
      if (this.#status === 'transaction') this.#status = 'failed';
      throw answer.error;
    }
    return answer;
  }

  /** For calls that may come while a statement runs. */
  async #wait(call: string): Promise<void> {
    const answer = this.#parts.ask(call, bare(call));
    await waitFor(answer, new AbortController().signal);
    if (answer.error !== undefined) throw answer.error;
  }

  #follow(text: string): void {
    if (/^BEGIN\b/i.test(text)) this.#status = 'transaction';
    else if (/^ROLLBACK TO\b/i.test(text)) this.#status = 'transaction';
    else if (/^(?:COMMIT|ROLLBACK)\b/i.test(text)) this.#status = 'idle';
  }

  #end(error: Error = sessionGone('unknown')): void {
    this.#isOpen = false;
    this.#running?.abort(error);
  }
}

function bare(text: string): NativeStatement {
  return { text, values: [] };
}
