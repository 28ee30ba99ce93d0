import type {
  AcquireMessage,
  AttemptMessage,
  DalError,
  QueryMessage,
  Traced,
  TransactionMessage,
} from '@dal/core';
import { errorAttributes } from './error-attributes.ts';
import type { KnownPool, KnownPools } from './known-pool.ts';
import { attributeNames, ownAttributes, SCOPE } from './names.ts';
import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from './open-telemetry.ts';
import { newClock, type SpanClock } from './span-clock.ts';
import type { StatementReader } from './statement-facts.ts';
import type { TelemetrySettings } from './telemetry-options.ts';

type Parent = QueryMessage | TransactionMessage;

/** A call or transaction that is under way. */
interface Open {
  readonly span: Span;
  /** What is part of it stands in this. */
  readonly inside: Context;
  /** The span that was active when it was made. */
  readonly around: Span | undefined;
  /** What was said of the server at the beginning. */
  readonly server: Attributes;
  readonly clock: SpanClock;
  attempts: number;
}

/** A wait that is shorter is no news. */
const WAIT_MS = 1;

/**
 * Turns messages into spans. Who is whose child comes from the messages; only what has no parent there
 * asks which span is active, at the moment of the call.
 */
export class Tracing {
  readonly #settings: TelemetrySettings;
  readonly #pools: KnownPools;
  readonly #reader: StatementReader;
  readonly #tracer: Tracer;
  /** `skipped`: it has no span, and nor has anything in it. */
  readonly #open = new WeakMap<Parent, Open | 'skipped'>();

  constructor(settings: TelemetrySettings, pools: KnownPools, reader: StatementReader) {
    this.#settings = settings;
    this.#pools = pools;
    this.#reader = reader;
    this.#tracer = (settings.tracerProvider ?? trace).getTracer(SCOPE);
  }

  readonly onQueryStart = (message: QueryMessage): void => {
    const { database, statement, kind, parent } = message;
    const known = this.#pools.of(database.pool);
    const facts = this.#reader.read(statement, kind, database.pool.dialect);
    const name = facts.summary === '' ? known.shortName : facts.summary;
    this.#begin(message, parent, name, known.kind, known, known.of(facts).onSpans);
  };

  readonly onQueryEnd = (message: QueryMessage): void => {
    const open = this.#end(message);
    if (!open) return;
    const { kind, result } = message;
    const operations = result?.operations;
    if (operations !== undefined && operations !== 1) {
      open.span.setAttribute(attributeNames.batchSize, operations);
    }
    if (open.attempts > 1 && isOneStatement[kind]) {
      open.span.setAttribute(ownAttributes.attempts, open.attempts);
    }
    this.#finish(message, open, message.database.pool);
  };

  readonly onTransactionStart = (message: TransactionMessage): void => {
    const known = this.#pools.of(message.database.pool);
    const { parent } = message;
    this.#begin(message, parent, 'TRANSACTION', SpanKind.INTERNAL, known, known.ofServer);
  };

  readonly onTransactionEnd = (message: TransactionMessage): void => {
    const open = this.#end(message);
    if (!open) return;
    if (message.attempts > 1) open.span.setAttribute(ownAttributes.attempts, message.attempts);
    this.#finish(message, open, message.database.pool);
  };

  /** An attempt at a call has a span when the call's own doesn't say it all. */
  readonly onAttemptEnd = (message: AttemptMessage): void => {
    const { parent, database, statement, error } = message;
    const known = this.#pools.of(database.pool);
    if (parent && 'kind' in parent) {
      const open = this.#open.get(parent);
      if (!open || open === 'skipped') return;
      const attempt = ++open.attempts;
      const tells = error !== undefined || (attempt > 1 && isOneStatement[parent.kind]);
      if (!this.#wants(tells)) return;
      const attributes = { ...known.ofServer, [ownAttributes.attempt]: attempt };
      this.#tell(message, 'attempt', SpanKind.INTERNAL, attributes);
      return;
    }
    // BEGIN, COMMIT and the like are calls of the layer's own.
    if (!this.#wants(true)) return;
    const facts = this.#reader.read(statement, 'statement', database.pool.dialect);
    const name = facts.summary === '' ? known.shortName : facts.summary;
    this.#tell(message, name, known.kind, known.of(facts).onSpans);
  };

  readonly onAcquireEnd = (message: AcquireMessage): void => {
    const { pool, durationMs = 0, error } = message;
    if (!this.#wants(error !== undefined || durationMs >= WAIT_MS)) return;
    const { ofServer, ofPool } = this.#pools.of(pool);
    this.#tell(message, 'acquire', SpanKind.INTERNAL, { ...ofServer, ...ofPool });
  };

  #wants(isEvent: boolean): boolean {
    const { spans } = this.#settings;
    return spans === 'all' || (spans === 'eventful' && isEvent);
  }

  #begin(
    message: Parent,
    parent: Parent | undefined,
    name: string,
    kind: SpanKind,
    known: KnownPool,
    attributes: Attributes,
  ): void {
    const around = context.active();
    const place = this.#placeIn(parent, around);
    if (place === 'skipped' || (place === undefined && this.#skips(known))) {
      this.#open.set(message, 'skipped');
      return;
    }
    const outside = place ?? around;
    const clock = this.#clockOf(parent);
    const startTime = clock(message.startedAt);
    const span = this.#tracer.startSpan(name, { kind, attributes, startTime }, outside);
    this.#open.set(message, {
      span,
      inside: trace.setSpan(outside, span),
      around: trace.getSpan(around),
      server: known.ofServer,
      clock,
      attempts: 0,
    });
  }

  #end(message: Parent): Open | undefined {
    const open = this.#open.get(message);
    this.#open.delete(message);
    return open === 'skipped' ? undefined : open;
  }

  #finish(
    message: Parent,
    { span, server, clock }: Open,
    pool: QueryMessage['database']['pool'],
  ): void {
    const { ofServer } = this.#pools.of(pool);
    // The greeting of the first connection says which of two systems it is.
    if (ofServer !== server) span.setAttributes(ofServer);
    endSpan(span, message, clock);
  }

  /** A span of something that has ended already. */
  #tell(
    message: AttemptMessage | AcquireMessage,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
  ): void {
    const around = context.active();
    const place = this.#placeIn(message.parent, around);
    if (place === 'skipped') return;
    const clock = this.#clockOf(message.parent);
    const startTime = clock(message.startedAt);
    const span = this.#tracer.startSpan(name, { kind, attributes, startTime }, place ?? around);
    endSpan(span, message, clock);
  }

  /** Undefined when it is part of nothing that is known. */
  #placeIn(parent: Parent | undefined, around: Context): Context | 'skipped' | undefined {
    const outer = parent && this.#open.get(parent);
    if (!outer || outer === 'skipped') return outer;
    // A span of the program's own, begun in the callback of a transaction, is nearer.
    const active = trace.getSpan(around);
    const isInner =
      active !== undefined &&
      active !== outer.around &&
      active.spanContext().traceId === outer.span.spanContext().traceId;
    return isInner ? around : outer.inside;
  }

  #clockOf(parent: Parent | undefined): SpanClock {
    const outer = parent && this.#open.get(parent);
    return outer && outer !== 'skipped' ? outer.clock : newClock();
  }

  #skips(known: KnownPool): boolean {
    const { sqliteSpanRatio } = this.#settings;
    if (sqliteSpanRatio >= 1 || known.ofServer[attributeNames.system] !== 'sqlite') return false;
    return Math.random() >= sqliteSpanRatio;
  }
}

/** Attempts at a batch are its parts. */
const isOneStatement = { statement: true, stream: true, native: true, many: false, bulk: false };

function endSpan(
  span: Span,
  { startedAt, durationMs = 0, error }: Traced<unknown>,
  clock: SpanClock,
): void {
  if (error) tellError(span, error);
  span.end(clock(startedAt + durationMs));
}

/** Not the error's words: the server's may quote values, and ours the statement. */
function tellError(span: Span, error: DalError): void {
  span.setAttributes(errorAttributes(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.kind });
}
