import { callMetrics, type Metric, ownMetrics, poolLevels, poolMetrics } from './names.ts';
import type {
  Counter,
  Histogram,
  Meter,
  Observable,
  ObservableGauge,
  ObservableUpDownCounter,
} from './open-telemetry.ts';

/** Undefined: switched off. */
export interface Instruments {
  readonly duration: Histogram | undefined;
  readonly returnedRows: Histogram | undefined;
  readonly createTime: Histogram | undefined;
  readonly waitTime: Histogram | undefined;
  readonly useTime: Histogram | undefined;
  readonly timeouts: Counter | undefined;
  readonly levels: Levels;
}

/** What is read at the moment of a collection. */
export interface Levels {
  readonly count: ObservableUpDownCounter | undefined;
  readonly idleMax: ObservableUpDownCounter | undefined;
  readonly idleMin: ObservableUpDownCounter | undefined;
  readonly limit: ObservableUpDownCounter | undefined;
  readonly pendingRequests: ObservableUpDownCounter | undefined;
  readonly scalingLevel: ObservableGauge | undefined;
}

export function openInstruments(meter: Meter, off: ReadonlySet<string>): Instruments {
  const histogram = (metric: Metric): Histogram | undefined =>
    off.has(metric.name) ? undefined : meter.createHistogram(metric.name, optionsOf(metric));
  const level = (metric: Metric): ObservableUpDownCounter | undefined =>
    off.has(metric.name)
      ? undefined
      : meter.createObservableUpDownCounter(metric.name, optionsOf(metric));
  const { timeouts } = poolMetrics;
  const { scalingLevel } = ownMetrics;
  return {
    duration: histogram(callMetrics.duration),
    returnedRows: histogram(callMetrics.returnedRows),
    createTime: histogram(poolMetrics.createTime),
    waitTime: histogram(poolMetrics.waitTime),
    useTime: histogram(poolMetrics.useTime),
    timeouts: off.has(timeouts.name)
      ? undefined
      : meter.createCounter(timeouts.name, optionsOf(timeouts)),
    levels: {
      count: level(poolLevels.count),
      idleMax: level(poolLevels.idleMax),
      idleMin: level(poolLevels.idleMin),
      limit: level(poolLevels.limit),
      pendingRequests: level(poolLevels.pendingRequests),
      scalingLevel: off.has(scalingLevel.name)
        ? undefined
        : meter.createObservableGauge(scalingLevel.name, optionsOf(scalingLevel)),
    },
  };
}

export function observables(levels: Levels): Observable[] {
  return Object.values(levels).filter((one) => one !== undefined);
}

function optionsOf({ unit, description, buckets }: Metric): {
  unit: string;
  description: string;
  advice?: { explicitBucketBoundaries: number[] };
} {
  return {
    unit,
    description,
    ...(buckets ? { advice: { explicitBucketBoundaries: buckets } } : {}),
  };
}
