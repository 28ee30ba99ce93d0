import type { LeaseReport } from './database.ts';
import type { DalError } from './errors.ts';

type Tags = Readonly<Record<string, string | number | boolean>>;

interface StatementEvent {
  readonly database: string;
  /** The text as the user wrote it; never its values. */
  readonly statement: string;
  readonly tags: Tags | undefined;
}

/** What can be listened to, and what a listener is told. */
export interface HookEvents {
  /** A statement is about to be asked of the pool or its connection. */
  'query:before': StatementEvent;
  'query:after': StatementEvent & {
    readonly durationMs: number;
    readonly rowCount: number;
    readonly affectedRows: number;
  };
  'query:error': StatementEvent & { readonly durationMs: number; readonly error: DalError };
  /** A call took `slowQueryMs` or longer, its waits and retries included. */
  slowQuery: StatementEvent & {
    readonly durationMs: number;
    readonly thresholdMs: number;
    /** The lines of the program that made the call, innermost first. */
    readonly stack: string;
    readonly error: DalError | undefined;
  };
  /** A statement or transaction will be tried again after `delayMs`. */
  retry: {
    readonly database: string;
    /** Undefined for a whole transaction. */
    readonly statement: string | undefined;
    /** How often it was tried so far. */
    readonly attempt: number;
    readonly delayMs: number;
    readonly error: DalError;
  };
  /** The server committed an open transaction by itself, because of this statement. */
  implicitCommit: { readonly database: string; readonly statement: string };
  /** A connection is lent for too long without a statement. Once for a loan. */
  leak: LeaseReport & { readonly database: string };
  /** The pool keeps to fewer connections than `max`, because the server has no more places. */
  poolLimited: {
    readonly database: string;
    /** `capacity`: the server said so. `full`: it refused one more; for a while, then it is tried again. */
    readonly reason: 'capacity' | 'full';
    readonly limit: number;
    readonly max: number;
  };
  /** A connection that was reported as leaked has come back. */
  unleaked: LeaseReport & { readonly database: string };
}

export type HookName = keyof HookEvents;
/** May be async; nobody waits for it. */
export type HookListener<Name extends HookName> = (event: HookEvents[Name]) => unknown;

/** Listeners for what the layer does. One that throws harms nothing but is warned about. */
export interface HookRegistry {
  /** @returns what takes the listener away again */
  on<Name extends HookName>(name: Name, listener: HookListener<Name>): () => void;
}
