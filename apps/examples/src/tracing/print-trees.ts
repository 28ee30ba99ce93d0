import { SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** Each span under its parent, as a back end shows them. */
export function printTrees(spans: readonly ReadableSpan[], parent?: ReadableSpan, depth = 0): void {
  const id = parent?.spanContext().spanId;
  for (const span of spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === id)) {
    const { code, message } = span.status;
    const error = code === SpanStatusCode.ERROR ? `, failed: ${message}` : '';
    const trace = parent ? '' : ` [trace ${span.spanContext().traceId}]`;
    console.log(`${'  '.repeat(depth)}${span.name}${error}${trace}`);
    printTrees(spans, span, depth + 1);
  }
}
