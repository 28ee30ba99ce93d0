import type { IncomingMessage, ServerResponse } from 'node:http';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { enableTelemetry } from '@dal/otel';
import { enableScaling } from '@dal/scaling';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

/** What the program tells about itself while it runs. */
export interface DemoTelemetry extends AsyncDisposable {
  /** Answers with all metrics, as Prometheus reads them. */
  readonly metrics: (request: IncomingMessage, response: ServerResponse) => void;
}

export function startTelemetry(): DemoTelemetry {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const telemetry = enableTelemetry({ meterProvider: provider, traces: false });
  const scaling = enableScaling();
  provider
    .getMeter('dal-demo')
    .createObservableGauge('process.memory.utilization', {
      unit: '1',
      description: 'Share of its memory that the process uses.',
    })
    .addCallback((result) => result.observe(memoryShare()));
  return {
    metrics: (request, response) => exporter.getMetricsRequestHandler(request, response),
    async [Symbol.asyncDispose]() {
      scaling.disable();
      telemetry.disable();
      await provider.shutdown();
    },
  };
}

/** Of the heap, or of what the machine or the container gives: whichever is nearer to its end. */
export function memoryShare(): number {
  const { used_heap_size: heap, heap_size_limit: mostHeap } = getHeapStatistics();
  const most = Math.min(process.constrainedMemory() || Infinity, totalmem());
  return Math.max(heap / mostHeap, process.memoryUsage.rss() / most);
}
