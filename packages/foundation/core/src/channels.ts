import {
  type Channel,
  channel,
  type TracingChannel,
  tracingChannel,
} from 'node:diagnostics_channel';
import type { DalError } from './errors.ts';
import type { Fault } from './fault.ts';
import type { HookEvents } from './hooks.ts';
import type { ObservedDatabase, ObservedPool } from './observed.ts';
import type { ScalingMessage } from './scaling.ts';

/**
 * What the layer tells the rest of the program, on Node's own channels: whoever knows a name can
 * listen, without a handle of the database. Nothing is made or sent while nobody listens. Texts of
 * statements are sent, their values never.
 *
 * A listener that throws ends the process; that is Node's rule for channels. Catch in yours.
 */
export const channels: Channels = {
  /** A call of the user's: `start` when it is made, `asyncEnd` when it has its answer. */
  query: traced('dal:query'),
  /** What one such call asks of the driver: one statement, one time. A retry is another attempt. */
  attempt: traced('dal:attempt'),
  /** `db.transaction` with all its attempts, or one from `begin()` to its end. */
  transaction: traced('dal:transaction'),
  /** Asking the pool for a connection. */
  acquire: traced('dal:pool:acquire'),
  /** Opening a connection. */
  connect: traced('dal:pool:connect'),
  release: plain('dal:pool:release'),
  destroy: plain('dal:pool:destroy'),
  retry: plain('dal:retry'),
  circuit: plain('dal:circuit'),
  leak: plain('dal:leak'),
  slowQuery: plain('dal:slow-query'),
  /** An idle connection gave no sign of life, or a server is away, or back. */
  health: plain('dal:health'),
  /** The advice on the size of a pool has changed; sent by `@dal/scaling`. */
  scaling: plain('dal:scaling'),
  /** A pool has left a server for another one. */
  failover: plain('dal:failover'),
};

export interface Channels {
  readonly query: TracingChannel<QueryMessage, QueryMessage>;
  readonly attempt: TracingChannel<AttemptMessage, AttemptMessage>;
  readonly transaction: TracingChannel<TransactionMessage, TransactionMessage>;
  readonly acquire: TracingChannel<AcquireMessage, AcquireMessage>;
  readonly connect: TracingChannel<ConnectMessage, ConnectMessage>;
  readonly release: Channel<ReleaseMessage, ReleaseMessage>;
  readonly destroy: Channel<DestroyMessage, DestroyMessage>;
  readonly retry: Channel<RetryMessage, RetryMessage>;
  readonly circuit: Channel<CircuitMessage, CircuitMessage>;
  readonly leak: Channel<LeakMessage, LeakMessage>;
  readonly slowQuery: Channel<SlowQueryMessage, SlowQueryMessage>;
  readonly health: Channel<HealthMessage, HealthMessage>;
  readonly scaling: Channel<ScalingMessage, ScalingMessage>;
  readonly failover: Channel<FailoverMessage, FailoverMessage>;
}

function traced<Message extends object>(name: string): TracingChannel<Message, Message> {
  return tracingChannel<Message, Message>(name);
}

function plain<Message>(name: string): Channel<Message, Message> {
  return channel(name) as Channel<Message, Message>;
}

type Tags = Readonly<Record<string, string | number | boolean>>;

/**
 * A traced message is one object from `start` to `asyncEnd`: what is known later is written into it.
 * Of `result` and `error` one is there at the end.
 */
export interface Traced<Result, Failure = DalError> {
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  durationMs?: number;
  result?: Result;
  error?: Failure;
}

export interface CallResult {
  readonly rowCount: number;
  readonly affectedRows: number;
  /** How often the statement of an `executeMany` was run. */
  readonly operations?: number;
}

export interface QueryMessage extends Traced<CallResult> {
  readonly database: ObservedDatabase;
  /** The text as the user wrote it, or what the call is, such as `INSERT INTO stock (bulk)`. */
  readonly statement: string;
  readonly kind: 'statement' | 'stream' | 'many' | 'bulk' | 'native';
  readonly tags: Tags | undefined;
  /** The transaction that it is part of. */
  readonly parent: TransactionMessage | undefined;
}

export interface AttemptMessage extends Traced<CallResult> {
  readonly database: ObservedDatabase;
  /** The text as the user wrote it, or the layer's own, such as `COMMIT`. */
  readonly statement: string;
  /** Whose attempt it is; undefined for the layer's own business, and when nobody listens to calls. */
  readonly parent: QueryMessage | TransactionMessage | undefined;
  /**
   * Stops the statement on the server, as its deadline would; there from the moment it is sent. Its
   * caller gets an error of kind `cancelled` and code `DAL_STOPPED`, unless a change was made after
   * all. Does nothing when the attempt is over.
   *
   * @param by who stops it, for the message: `the console`
   */
  stop?: (by: string) => void;
}

export interface TransactionMessage extends Traced<undefined> {
  readonly database: ObservedDatabase;
  /** How often its callback was begun. */
  attempts: number;
  /** The call that it is made for, such as a `bulkInsert`. */
  readonly parent: QueryMessage | TransactionMessage | undefined;
}

export interface AcquireMessage extends Traced<undefined> {
  readonly pool: ObservedPool;
  readonly parent: QueryMessage | TransactionMessage | undefined;
}

/** Its `error` is what the driver threw. */
export interface ConnectMessage extends Traced<undefined, unknown> {
  readonly pool: ObservedPool;
  /** What the driver makes of the error. */
  fault?: Fault;
}

export interface ReleaseMessage {
  readonly pool: ObservedPool;
  /** How long the connection was lent. */
  readonly useMs: number;
}

export interface DestroyMessage {
  readonly pool: ObservedPool;
  readonly reason: DestroyReason;
}

/**
 * Why a connection was ended. `lost`: it broke, or its state was in doubt; `expired`: its lifetime was
 * over; `surplus`: idle for long, or more than are kept; `closing`: the pool is.
 */
export type DestroyReason = 'lost' | 'expired' | 'surplus' | 'closing';

export type RetryMessage = HookEvents['retry'];
export type LeakMessage = HookEvents['leak'] & { readonly back: boolean };

type CircuitState = 'closed' | 'open' | 'halfOpen';

export interface CircuitMessage {
  readonly database: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
}

export interface SlowQueryMessage {
  readonly database: ObservedDatabase;
  readonly statement: string;
  readonly tags: Tags | undefined;
  /** From the call to its answer, with waits and retries. */
  readonly durationMs: number;
  readonly thresholdMs: number;
  /** The user's lines of the stack, innermost first. */
  readonly stack: string;
  readonly error: DalError | undefined;
}

export interface HealthMessage {
  readonly pool: ObservedPool;
  readonly event: 'validationFailed' | 'serverAway' | 'serverBack';
  readonly error: unknown;
}

export interface FailoverMessage {
  readonly pool: ObservedPool;
  readonly from: string;
  readonly to: string;
}
