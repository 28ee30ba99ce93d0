import type { LeaseReport } from './database.ts';
import type { Fault, FaultKind } from './fault.ts';

const brand = Symbol.for('dal.error');

export interface DalErrorDetails {
  /** What went wrong, to switch on. */
  readonly kind?: FaultKind;
  /** A stable name to search for, such as `DAL_POOL_TIMEOUT`. */
  readonly code?: string;
  readonly cause?: unknown;
  /** The driver's verdict, when the error came from a database. */
  readonly fault?: Fault;
}

/** Every error that the layer throws. Values of parameters and secrets are never in the message. */
export class DalError extends Error {
  override readonly name: string = 'DalError';
  readonly kind: FaultKind;
  readonly code: string;
  readonly fault: Fault | undefined;
  /** What the attempts before this one failed of, oldest first, when the layer tried again. */
  attempts: readonly Error[] = [];

  static {
    // On the prototype, and defined here because declaration files can't name a private symbol.
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  constructor(message: string, details: DalErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = details.kind ?? details.fault?.kind ?? 'unknown';
    this.code = details.code ?? 'DAL_ERROR';
    this.fault = details.fault;
  }
}

/** The database could not be reached, or the line to it broke. */
export class ConnectionError extends DalError {
  override readonly name: string = 'ConnectionError';
}

/** The pool could not lend a connection. */
export class PoolError extends DalError {
  override readonly name: string = 'PoolError';
}

/** What a pool was like when somebody waited for a connection in vain. */
export interface PoolSituation {
  /** Who held the connections, longest first; ten at the most. */
  readonly holders: readonly LeaseReport[];
  /** Callers that still waited. */
  readonly waiting: number;
  /** Connections that were being opened. */
  readonly connecting: number;
  /** How much too late the program noticed; more than some ms means that it was too busy. */
  readonly eventLoopDelayMs: number;
}

/** No connection came free in time; the message says who holds them. */
export class AcquireTimeoutError extends PoolError implements PoolSituation {
  override readonly name: string = 'AcquireTimeoutError';
  readonly holders: readonly LeaseReport[];
  readonly waiting: number;
  readonly connecting: number;
  readonly eventLoopDelayMs: number;

  constructor(message: string, details: DalErrorDetails & Partial<PoolSituation> = {}) {
    super(message, details);
    this.holders = details.holders ?? [];
    this.waiting = details.waiting ?? 0;
    this.connecting = details.connecting ?? 0;
    this.eventLoopDelayMs = details.eventLoopDelayMs ?? 0;
  }
}

/**
 * A callback that holds a connection waits for a second one of the same pool, and so do all others
 * that hold one: nobody can go on. The message has both places in the code.
 */
export class NestedAcquireError extends PoolError {
  override readonly name: string = 'NestedAcquireError';
}

/** A statement failed, or did not answer what was asked of it. */
export class QueryError extends DalError {
  override readonly name: string = 'QueryError';
}

/** `queryOne` met two rows or more, or `queryExactlyOne` did not meet exactly one. */
export class RowCountError extends QueryError {
  override readonly name: string = 'RowCountError';
}

/** The row count was above what was asked for. */
export class TooManyRowsError extends RowCountError {
  override readonly name: string = 'TooManyRowsError';
}

export class TransactionError extends DalError {
  override readonly name: string = 'TransactionError';
}

/** The line broke around COMMIT: the transaction may or may not be in the database. */
export class CommitOutcomeUnknownError extends TransactionError {
  override readonly name: string = 'CommitOutcomeUnknownError';
}

/**
 * The transaction is committed on the server that was asked, but the replicas that were to confirm it
 * have not: it is lost when that server is lost now. It must not run again.
 */
export class CommitUnconfirmedError extends TransactionError {
  override readonly name: string = 'CommitUnconfirmedError';
}

/** An option, a URL, a value or a call is wrong; nothing was sent. */
export class ConfigError extends DalError {
  override readonly name: string = 'ConfigError';
}

/** No driver answers to this name or URL scheme. */
export class UnknownDatabaseTypeError extends ConfigError {
  override readonly name: string = 'UnknownDatabaseTypeError';
}

/** A circuit breaker did not let the call through; nothing was sent. */
export class CircuitOpenError extends DalError {
  override readonly name: string = 'CircuitOpenError';
  /** How long after this error the next call may be let through. */
  readonly retryAfterMs: number;

  constructor(message: string, details: DalErrorDetails & { readonly retryAfterMs?: number } = {}) {
    super(message, details);
    this.retryAfterMs = details.retryAfterMs ?? 0;
  }
}

/** True for errors of the layer, also when two copies of the package are installed. */
export function isDalError(error: unknown): error is DalError {
  return typeof error === 'object' && error !== null && brand in error;
}
