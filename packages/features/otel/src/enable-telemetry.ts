import type { Channel } from 'node:diagnostics_channel';
import { channels, type QueryMessage } from '@dal/core';
import { warnOfDoubleSpans } from './double-spans.ts';
import { KnownPools } from './known-pool.ts';
import { Metering } from './metering.ts';
import { StatementReader } from './statement-facts.ts';
import { readTelemetryOptions, type TelemetryOptions } from './telemetry-options.ts';
import { Tracing } from './tracing.ts';

/** Telemetry that is on. */
export interface Telemetry {
  /** Takes everything away again; what was measured stays with the providers. May be called twice. */
  disable(): void;
  [Symbol.dispose](): void;
}

/**
 * Metrics and spans for every database of this process, those that are open and those to come, under
 * the names of OpenTelemetry's conventions for database clients.
 *
 * @throws ConfigError for a wrong option
 */
export function enableTelemetry(options: TelemetryOptions = {}): Telemetry {
  const settings = readTelemetryOptions(options);
  const pools = new KnownPools();
  const reader = new StatementReader(settings.queryText);
  const listening = new Listening();
  const { query, attempt, transaction, acquire, connect, release, scaling } = channels;
  if (settings.metrics) {
    const metering = new Metering(settings, pools, reader);
    listening.to(query.asyncEnd, metering.onQuery);
    listening.to(acquire.asyncEnd, metering.onAcquire);
    listening.to(connect.asyncEnd, metering.onConnect);
    listening.to(release, metering.onRelease);
    listening.to(scaling, metering.onScaling);
    listening.atEnd(() => metering.stop());
  }
  if (settings.traces) {
    const tracing = new Tracing(settings, pools, reader);
    listening.to(query.start, tracing.onQueryStart);
    listening.to(query.asyncEnd, tracing.onQueryEnd);
    listening.to(transaction.start, tracing.onTransactionStart);
    listening.to(transaction.asyncEnd, tracing.onTransactionEnd);
    if (settings.spans !== 'calls') {
      listening.to(attempt.asyncEnd, tracing.onAttemptEnd);
      listening.to(acquire.asyncEnd, tracing.onAcquireEnd);
    }
    listening.to(query.asyncEnd, warnOnce());
  }
  return listening;
}

/** Looks once a system, when its first call has ended: the driver's library is loaded by then. */
function warnOnce(): (message: QueryMessage) => void {
  const seen = new Set<string>();
  return ({ database }) => {
    const { system } = database.pool.server;
    if (seen.has(system)) return;
    seen.add(system);
    warnOfDoubleSpans(system);
  };
}

type Listener = (message: unknown) => void;

class Listening implements Telemetry {
  readonly #undo: (() => void)[] = [];
  #hasFailed = false;

  to<Message>(channel: Channel<unknown, Message>, listener: (message: Message) => void): void {
    // Node ends the process when a listener throws.
    const guarded: Listener = (message) => {
      try {
        listener(message as Message);
      } catch (error) {
        this.#failed(error);
      }
    };
    channel.subscribe(guarded);
    this.atEnd(() => channel.unsubscribe(guarded));
  }

  atEnd(undo: () => void): void {
    this.#undo.push(undo);
  }

  disable(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  [Symbol.dispose](): void {
    this.disable();
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const words = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
    process.emitWarning(`Telemetry failed, which changed nothing else. ${words}`, {
      type: 'TelemetryWarning',
      code: 'DAL_TELEMETRY_FAILED',
    });
  }
}
