import { expect, test } from 'vitest';
import { readTelemetryOptions } from './telemetry-options.ts';

test('what is not given has a default', () => {
  expect(readTelemetryOptions({})).toMatchObject({
    metrics: true,
    traces: true,
    queryText: 'sanitized',
    spans: 'eventful',
    sqliteSpanRatio: 1,
  });
});

test.each([
  [{ querytext: 'off' }, /Did you mean "queryText"/],
  [{ queryText: 'on' }, /queryText/],
  [{ meterProvider: {} }, /meterProvider.*getMeter/],
  [{ tracerProvider: 1 }, /tracerProvider.*getTracer/],
  [
    { metricsOff: ['db.client.response.returned_row'] },
    /did you mean "db\.client\.response\.returned_rows"/,
  ],
  [{ metricsOff: 'all' }, /list/],
  [{ sqliteSpanRatio: 2 }, /from 0 to 1/],
  [null, /object/],
])('%j is refused', (options, words) => {
  expect(() => readTelemetryOptions(options as never)).toThrow(words);
});
