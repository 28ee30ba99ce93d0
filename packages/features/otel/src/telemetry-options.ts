import { flag, oneOf, type OptionReader, readOptions, suggest, wrongOption } from '@dal/core';
import { metricNames } from './names.ts';
import type { MeterProvider, TracerProvider } from './open-telemetry.ts';

export interface TelemetryOptions {
  /**
   * Where metrics go. Default: the program's own (`metrics.setGlobalMeterProvider`), also when it is
   * set later than this.
   */
  readonly meterProvider?: MeterProvider;
  /** Where spans go. Default: the program's own (`trace.setGlobalTracerProvider`). */
  readonly tracerProvider?: TracerProvider;
  /** Default: true. */
  readonly metrics?: boolean;
  /** Default: true. */
  readonly traces?: boolean;
  /** Metrics that are left out, by their names, such as `db.client.response.returned_rows`. */
  readonly metricsOff?: readonly string[];
  /**
   * The text of the statement on its span: with `?` for every literal, as it was written, or not at
   * all. Values of parameters are never told. Default: `sanitized`.
   */
  readonly queryText?: 'sanitized' | 'asWritten' | 'off';
  /**
   * `calls`: a span for each call and transaction. `eventful`: also for BEGIN and COMMIT, for attempts
   * when there was more than one, and for waits of a millisecond or more. `all`: also for the rest.
   * Default: `eventful`.
   */
  readonly spans?: 'calls' | 'eventful' | 'all';
  /**
   * The share of SQLite's calls that get a span, from 0 to 1: a statement there may be faster than its
   * span. Metrics count all of them. Default: 1.
   */
  readonly sqliteSpanRatio?: number;
}

export interface TelemetrySettings {
  readonly meterProvider: MeterProvider | undefined;
  readonly tracerProvider: TracerProvider | undefined;
  readonly metrics: boolean;
  readonly traces: boolean;
  readonly metricsOff: ReadonlySet<string>;
  readonly queryText: 'sanitized' | 'asWritten' | 'off';
  readonly spans: 'calls' | 'eventful' | 'all';
  readonly sqliteSpanRatio: number;
}

/** @throws ConfigError that names the option */
export function readTelemetryOptions(options: TelemetryOptions): TelemetrySettings {
  if (typeof options !== 'object' || options === null) {
    throw wrongOption('The argument of enableTelemetry()', 'an object of options', options);
  }
  const read = readOptions('enableTelemetry', { ...options }, readers);
  return {
    meterProvider: read.meterProvider,
    tracerProvider: read.tracerProvider,
    metrics: read.metrics ?? true,
    traces: read.traces ?? true,
    metricsOff: read.metricsOff ?? new Set(),
    queryText: read.queryText ?? 'sanitized',
    spans: read.spans ?? 'eventful',
    sqliteSpanRatio: read.sqliteSpanRatio ?? 1,
  };
}

const names: OptionReader<ReadonlySet<string>> = (value, where) => {
  if (!Array.isArray(value)) throw wrongOption(where, 'a list of names of metrics', value);
  for (const name of value as unknown[]) {
    if (typeof name === 'string' && metricNames.includes(name)) continue;
    const likely = typeof name === 'string' ? suggest(name, metricNames) : undefined;
    const meant = likely ? `; did you mean "${likely}"?` : '';
    throw wrongOption(where, `names of: ${metricNames.join(', ')}${meant}`, name);
  }
  return new Set(value as string[]);
};

const ratio: OptionReader<number> = (value, where) => {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw wrongOption(where, 'a number from 0 to 1', value);
};

function provider<Provider>(method: string): OptionReader<Provider> {
  return (value, where) => {
    if (typeof (value as Record<string, unknown> | null)?.[method] === 'function') {
      return value as Provider;
    }
    throw wrongOption(where, `a provider of OpenTelemetry, with ${method}()`, value);
  };
}

const readers = {
  meterProvider: provider<MeterProvider>('getMeter'),
  tracerProvider: provider<TracerProvider>('getTracer'),
  metrics: flag,
  traces: flag,
  metricsOff: names,
  queryText: oneOf('sanitized', 'asWritten', 'off'),
  spans: oneOf('calls', 'eventful', 'all'),
  sqliteSpanRatio: ratio,
} satisfies Record<keyof TelemetryOptions, unknown>;
