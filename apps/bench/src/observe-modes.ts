import { channels } from '@dal/core';
import { enableTelemetry } from '@dal/otel';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** A way to be observed; while it is on, whoever is measured is measured with it. */
export interface ObserveMode {
  readonly name: string;
  /** @returns what switches it off again */
  on(): () => void;
}

/** Providers that do everything except send. */
export class Providers implements AsyncDisposable {
  readonly meters: MeterProvider = new MeterProvider();
  readonly tracers: TracerProvider = new TracerProvider({
    spanProcessors: [new BatchSpanProcessor({ exporter: nowhere })],
  });
  readonly unsampled: TracerProvider = new TracerProvider({ sampler: new AlwaysOffSampler() });

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.meters, this.tracers, this.unsampled].map((one) => one.shutdown()));
  }
}

/** What DAL can be observed by. The first one is what all others are compared with. */
export function dalModes({ meters, tracers, unsampled }: Providers): readonly ObserveMode[] {
  const telemetry = (
    name: string,
    options: Parameters<typeof enableTelemetry>[0],
  ): ObserveMode => ({
    name,
    on() {
      const on = enableTelemetry(options);
      return () => on.disable();
    },
  });
  return [
    { name: 'no telemetry', on: () => ignore },
    // The same again: what differs here is noise.
    { name: 'no telemetry, again', on: () => ignore },
    telemetry('metrics', { meterProvider: meters, traces: false }),
    telemetry('metrics, spans not sampled', { meterProvider: meters, tracerProvider: unsampled }),
    telemetry('metrics, a span a call', {
      meterProvider: meters,
      tracerProvider: tracers,
      spans: 'calls',
    }),
    telemetry('metrics and spans', { meterProvider: meters, tracerProvider: tracers }),
  ];
}

/** Puts plain objects where the channels are, as if nobody had thought of listeners. */
export const withoutChannels: ObserveMode = {
  name: 'no channels',
  on() {
    const places = channels as unknown as Record<string, unknown>;
    const real = { ...places };
    for (const key of Object.keys(places)) places[key] = silent;
    return () => void Object.assign(places, real);
  },
};

const silent = Object.freeze({ hasSubscribers: false });

const nowhere: SpanExporter = {
  export: (_spans, done) => done({ code: 0 }),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

function ignore(): void {
  // Nothing was switched on.
}
