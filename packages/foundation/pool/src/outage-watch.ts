import type { Fault } from '@dal/core';
import type { Admission, AdmissionOwner, Refusal } from './admission.ts';
import { borrowGate, Gate, returnGate } from './gate.ts';

export interface OutageWatchParts {
  /** The server's name, when all attempts go to that one; pools that share it share its gate. */
  readonly server: string | undefined;
  readonly failFast: boolean;
  classify(error: unknown): Fault;
  readonly onStop?: () => void;
}

/**
 * With the longest pause between two attempts, and with the time to connect, it is less than the second
 * within which a server's return is to be noticed.
 */
const PATIENCE_MS = 500;

/**
 * Knows whether the server answers. While it does not, one attempt at a time is let through, and
 * whoever waits for a session waits on within the own deadline. Errors that waiting can't cure are
 * told at once, and so is everything before the first session: that is a wrong address more often
 * than an outage.
 */
export class OutageWatch implements Admission {
  readonly #parts: OutageWatchParts;
  /** This pool's own: for a server that is full, or has no place for this user. */
  readonly #own = new Gate();
  /** Kept after the end as well: an attempt under way has to be given back to it. */
  readonly #shared: Gate | undefined;
  #owner: AdmissionOwner | undefined;
  #served = false;
  readonly #wake = (): void => this.#owner?.again();

  constructor(parts: OutageWatchParts) {
    this.#parts = parts;
    this.#shared = parts.server === undefined ? undefined : borrowGate(parts.server);
  }

  get away(): boolean {
    return this.#own.outage !== undefined;
  }

  /** Before the first session nothing tells what is usual, and an address may be far away. */
  get patienceMs(): number {
    return this.#shared && this.#served ? PATIENCE_MS : Infinity;
  }

  start(owner: AdmissionOwner): void {
    this.#owner = owner;
  }

  admit(): boolean {
    if (!this.#own.enter(this.#wake)) return false;
    if (!this.#shared || this.#shared.enter(this.#wake)) return true;
    this.#own.leave(undefined);
    return false;
  }

  opened(): void {
    this.#served = true;
    this.#own.leave('served');
    this.#shared?.leave('served');
  }

  failed(error: unknown): Refusal {
    const { kind } = this.#judge(error);
    const isAway = kind === 'connection' || kind === 'notReady';
    const isNew = isAway && !this.#own.outage;
    this.#own.leave({ failure: error });
    // Who is refused by name has found the server well, and the others need not wait.
    this.#shared?.leave(isAway ? { failure: error } : undefined);
    if (isNew) this.#owner?.doubt();
    if (isUnsettled(error)) return 'hold';
    const mayPass = isAway || kind === 'overloaded' || kind === 'readOnly';
    if (mayPass && this.#served && !this.#parts.failFast) return 'hold';
    // One answer of the server is as good as a thousand; what nobody understands may be the one's own.
    return kind === 'unknown' ? 'tell' : 'tellAll';
  }

  heard(): void {
    this.#own.reenter();
    this.#shared?.reenter();
  }

  givenUp(): void {
    this.#own.leave(undefined);
    this.#shared?.leave(undefined);
  }

  lost(ageMs: number, error: Error): void {
    this.#own.lost(ageMs, error);
    this.#shared?.lost(ageMs, error);
    if (this.#tellsOfServer(error)) this.#owner?.doubt();
  }

  /** The server was found to be well by other means than an attempt that was let through. */
  recovered(): void {
    this.#own.served();
  }

  stop(): void {
    this.#owner = undefined;
    this.#own.forget(this.#wake);
    this.#shared?.forget(this.#wake);
    if (this.#parts.server !== undefined) returnGate(this.#parts.server);
    this.#parts.onStop?.();
  }

  /** The reason why a session ended is one that all others of this server will meet. */
  #tellsOfServer(error: Error): boolean {
    const { code } = this.#judge(error);
    return code !== undefined && SERVER_ENDS.has(code);
  }

  #judge(error: unknown): Fault {
    const { fault } = error as { fault?: Fault };
    if (fault) return fault;
    try {
      return this.#parts.classify(error);
    } catch {
      return { kind: 'unknown' };
    }
  }
}

/** Shutdown by an administrator, crash of another process, "not ready", MySQL's shutdown. */
const SERVER_ENDS = new Set(['57P01', '57P02', '57P03', '1053']);

/** Marks errors after which an attempt may still succeed. */
const UNSETTLED = 'DAL_SERVERS_SLOW';

function isUnsettled(error: unknown): boolean {
  return (error as { code?: unknown }).code === UNSETTLED;
}

export { UNSETTLED };
