import {
  abortError,
  type DalError,
  type Deadline,
  deadlineAfter,
  QueryError,
  throwIfAborted,
  TransactionError,
  whenOver,
  within,
} from '@dal/core';
import {
  destroySession,
  giveTurn,
  type Lease,
  noticeLoss,
  type Session,
  takeTurn,
} from '@dal/pool';
import { lostBefore, stoppedError } from './run-statement.ts';
import type { Runtime } from './runtime.ts';
import { limitFor, setLimit } from './statement-limit.ts';
import { stopStatement } from './stop-statement.ts';
import { StreamAttempt } from './stream-attempt.ts';
import type { StreamCall, StreamScope, StreamTimes } from './stream-statement.ts';
import { toDalError } from './to-dal-error.ts';

/** How long a driver may take to free its session when a stream is left early. */
const LEAVE_TIMEOUT_MS = 5_000;

/** The streams whose loops are in their bodies now, so that who needs the session can end them. */
const open = new WeakMap<Session, (why: DalError) => Promise<void>>();

/** Ends the stream that is open on a session, if there is one; its loop then gets an error. */
export async function endOpenStream(session: Session): Promise<void> {
  await open.get(session)?.(
    new TransactionError(
      'The transaction or connection ended while this stream was being read; the rest of its rows is lost. Finish or leave the loop first.',
      { kind: 'usage', code: 'DAL_STREAM_ENDED' },
    ),
  );
}

/** One stream's hold on a session, from its turn until the session is free again. */
export class StreamReader<T> {
  readonly #runtime: Runtime;
  readonly #lease: Lease;
  readonly #call: StreamCall<T>;
  readonly #times: StreamTimes;
  readonly #scope: StreamScope;
  #iterator: AsyncIterator<T> | undefined;
  /** Nothing of it is on the wire any more, or somebody else takes care of that. */
  #settled = false;
  #leaving: Promise<void> | undefined;
  /** Why it was ended while the loop was in its body. */
  #endedAway: DalError | undefined;
  /** Somebody hears of its attempt. */
  #isTold = false;
  /** Ends it from outside, as long as there is something to end. */
  #stop: ((why: DalError) => void) | undefined;

  constructor(
    runtime: Runtime,
    lease: Lease,
    call: StreamCall<T>,
    times: StreamTimes,
    scope: StreamScope,
  ) {
    this.#runtime = runtime;
    this.#lease = lease;
    this.#call = call;
    this.#times = times;
    this.#scope = scope;
  }

  async *pieces(): AsyncGenerator<T, void, undefined> {
    this.#scope.check?.();
    const { session } = this.#lease;
    let deadline = this.#deadline();
    const turn = takeTurn(session, deadline);
    if (turn) await turn;
    const attempt = StreamAttempt.begin({
      database: this.#runtime.observed,
      statement: this.#call.statement.shown,
      parent: this.#call.message ?? deadline.call,
      stop: (by) => this.#stop?.(stoppedError(this.#runtime, this.#call.statement, by, 'unknown')),
    });
    this.#isTold = attempt !== undefined;
    try {
      await this.#begin(deadline);
      for (;;) {
        const pending = this.#next(deadline);
        const step = await (attempt?.timed(pending) ?? pending);
        this.#lease.lastUsedAt = performance.now();
        this.#checkAway();
        if (step.done) break;
        const back = this.#goAway();
        try {
          yield step.value;
        } finally {
          back();
        }
        this.#checkAway();
        this.#scope.check?.();
        this.#lease.lastUsedAt = performance.now();
        deadline = this.#deadline();
      }
      this.#settled = true;
    } catch (thrown) {
      const error = this.#judge(thrown);
      attempt?.failed(error);
      throw error;
    } finally {
      attempt?.end();
      await this.#leave();
    }
  }

  async #begin(deadline: Deadline): Promise<void> {
    const { statement, open: start } = this.#call;
    const { session } = this.#lease;
    throwIfAborted(deadline, 'The stream');
    if (session.lost) {
      this.#settled = true;
      throw lostBefore(this.#runtime, session);
    }
    this.#scope.check?.();
    this.#lease.lastStatement = statement.shown;
    if (statement.touchesSession) session.dirty = true;
    // The server counts the time of the whole stream, and the reader's own with it.
    const longest = { ...deadline, timeoutMs: this.#times.whole?.timeoutMs ?? Infinity };
    const limit = limitFor(this.#runtime, session, longest);
    if (limit !== session.limitMs) await setLimit(this.#runtime, session, limit, deadline);
    this.#iterator = start(session.connection)[Symbol.asyncIterator]();
  }

  /** The next piece, or the stop of the statement when it doesn't come in time. */
  #next(deadline: Deadline): Promise<IteratorResult<T, unknown>> {
    const { session } = this.#lease;
    const iterator = this.#iterator as AsyncIterator<T>;
    return new Promise((resolve, reject) => {
      const pending = iterator.next();
      const stop = (error: Error): void => {
        this.#stop = undefined;
        this.#settled = true;
        const ended = pending.then(ignore, ignore).then(() => end(iterator));
        // Nobody waits for it where the session is destroyed instead.
        ended.catch(ignore);
        void stopStatement(session, ended);
        reject(error);
      };
      const endWatch = whenOver(
        deadline,
        () => stop(this.#tooLate(deadline)),
        (signal) => stop(abortError(signal, 'The stream')),
      );
      const over = (): void => {
        endWatch();
        this.#stop = undefined;
      };
      if (this.#isTold) {
        this.#stop = (why) => {
          over();
          stop(why);
        };
      }
      pending.then(
        (step) => {
          over();
          resolve(step);
        },
        (error: unknown) => {
          over();
          reject(error);
        },
      );
    });
  }

  /**
   * While the loop is in its body nobody waits for the stream, but its time and its signal still
   * count: they free the session at once, and the loop learns of it when it comes back.
   *
   * @returns what to call when the loop is back
   */
  #goAway(): () => void {
    const { session } = this.#lease;
    const { whole, signal } = this.#times;
    const endAway = (why: DalError): Promise<void> => {
      this.#endedAway ??= why;
      return this.#leave();
    };
    session.away = true;
    const limit = whole ?? deadlineAfter(Infinity, signal);
    const endWatch = whenOver(
      limit,
      () => void endAway(this.#tooLate(limit)),
      (aborted) => void endAway(abortError(aborted, 'The stream')),
    );
    open.set(session, endAway);
    if (this.#isTold) this.#stop = (why) => void endAway(why);
    return () => {
      this.#stop = undefined;
      session.away = false;
      endWatch();
      if (open.get(session) === endAway) open.delete(session);
    };
  }

  /** @throws when it was ended while the loop was in its body */
  #checkAway(): void {
    if (this.#endedAway) throw this.#endedAway;
  }

  /** Frees the session, once; the next statement finds it ready. Never rejects. */
  #leave(): Promise<void> {
    this.#leaving ??= this.#free();
    return this.#leaving;
  }

  async #free(): Promise<void> {
    const { session } = this.#lease;
    if (!this.#settled && !session.lost && this.#iterator?.return) {
      const outcome = await within(LEAVE_TIMEOUT_MS, end(this.#iterator));
      if (outcome !== 'done') destroySession(session);
    }
    session.away = false;
    giveTurn(session);
    this.#scope.onFree?.();
  }

  #deadline(): Deadline {
    const { whole, signal } = this.#times;
    return whole ?? deadlineAfter(this.#runtime.settings.statementTimeoutMs, signal);
  }

  #judge(thrown: unknown): DalError {
    const { driver, name } = this.#runtime;
    const error = toDalError(driver, name, thrown, this.#call.statement.shown);
    if (error.fault?.connectionLost) noticeLoss(this.#lease.session, error);
    this.#scope.onError?.(error);
    return error;
  }

  #tooLate({ timeoutMs }: Deadline): QueryError {
    this.#runtime.pool.count('statementTimeouts');
    const what = this.#times.whole ? 'it did not end' : 'nothing came';
    return new QueryError(
      `The stream was stopped on "${this.#runtime.name}": ${what} within ${Math.round(timeoutMs)} ms. Statement: ${this.#call.statement.shown.slice(0, 200)}`,
      {
        kind: 'statementTimeout',
        code: 'DAL_STATEMENT_TIMEOUT',
        fault: { kind: 'statementTimeout', applied: 'unknown' },
      },
    );
  }
}

async function end<T>(iterator: AsyncIterator<T>): Promise<void> {
  await iterator.return?.();
}

function ignore(): void {
  // How a stopped stream ended is of no interest.
}
