import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  type MetricData,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** Metrics as a back end would get them. */
export class MetricsBackEnd implements AsyncDisposable {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly #reader = new PeriodicExportingMetricReader({
    exporter: this.#exporter,
    exportIntervalMillis: 3_600_000,
  });
  readonly provider: MeterProvider = new MeterProvider({ readers: [this.#reader] });

  /** What arrives now, by the names of the metrics. */
  async collect(): Promise<Map<string, MetricData>> {
    this.#exporter.reset();
    await this.#reader.forceFlush();
    const arrived = this.#exporter.getMetrics().at(-1)?.scopeMetrics ?? [];
    return new Map(
      arrived.flatMap(({ metrics }) => metrics.map((metric) => [metric.descriptor.name, metric])),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider.shutdown();
  }
}

type Attributes = Readonly<Record<string, unknown>>;

/** The points of a metric that have these attributes. */
export function pointsOf(
  metric: MetricData | undefined,
  having: Attributes = {},
): DataPoint<number | Histogram>[] {
  return ((metric?.dataPoints ?? []) as DataPoint<number | Histogram>[]).filter(({ attributes }) =>
    Object.entries(having).every(([key, value]) => attributes[key] === value),
  );
}

/** The one number with these attributes. */
export function numberOf(metric: MetricData | undefined, having?: Attributes): unknown {
  const points = pointsOf(metric, having);
  return points.length === 1 ? points[0]?.value : points.map(({ attributes }) => attributes);
}

/** All histograms with these attributes together. */
export function totalOf(
  metric: MetricData | undefined,
  having?: Attributes,
): { count: number; sum: number } {
  const total = { count: 0, sum: 0 };
  for (const { value } of pointsOf(metric, having)) {
    const { count, sum = 0 } = value as Histogram;
    total.count += count;
    total.sum += sum;
  }
  return total;
}

/** Spans as a back end would get them. */
export class SpansBackEnd implements AsyncDisposable {
  readonly #exporter = new InMemorySpanExporter();
  readonly provider: TracerProvider;

  constructor(
    options: Pick<ConstructorParameters<typeof TracerProvider>[0] & object, 'sampler'> = {},
  ) {
    this.provider = new TracerProvider({
      ...options,
      spanProcessors: [new SimpleSpanProcessor({ exporter: this.#exporter })],
    });
  }

  get spans(): ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  reset(): void {
    this.#exporter.reset();
  }

  /** Each span below its parent, as `name > name > name`. */
  paths(): string[] {
    const byId = new Map(this.spans.map((span) => [span.spanContext().spanId, span]));
    return this.spans.map((span) => {
      const names = [span.name];
      for (let above = parentOf(span, byId); above; above = parentOf(above, byId)) {
        names.unshift(above.name);
      }
      return names.join(' > ');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider.shutdown();
  }
}

function parentOf(
  span: ReadableSpan,
  byId: ReadonlyMap<string, ReadableSpan>,
): ReadableSpan | undefined {
  const id = span.parentSpanContext?.spanId;
  return id === undefined ? undefined : byId.get(id);
}

/** A span's length in seconds. */
export function secondsOf({ duration: [seconds, nanoseconds] }: ReadableSpan): number {
  return seconds + nanoseconds / 1e9;
}

/** Runs work inside of a span of the program's own. */
export function inSpan<T>(backEnd: SpansBackEnd, name: string, work: () => Promise<T>): Promise<T> {
  return backEnd.provider.getTracer('program').startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}

/** The one span of this name. */
export function only(spans: readonly ReadableSpan[], name: string): ReadableSpan {
  const [found, ...others] = spans.filter((span) => span.name === name);
  if (found && others.length === 0) return found;
  throw new Error(`Not one span is "${name}", but ${found ? others.length + 1 : 0}.`);
}

/** What arrived of a pool's levels, by its name. */
export function levels(metrics: ReadonlyMap<string, MetricData>, pool: string): object {
  const of = (name: string, more = {}): unknown =>
    numberOf(metrics.get(`db.client.connection.${name}`), {
      'db.client.connection.pool.name': pool,
      ...more,
    });
  return {
    idle: of('count', { 'db.client.connection.state': 'idle' }),
    used: of('count', { 'db.client.connection.state': 'used' }),
    limit: of('limit'),
    idleMax: of('idle.max'),
    idleMin: of('idle.min'),
    pending: of('pending_requests'),
  };
}
