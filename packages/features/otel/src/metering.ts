import {
  type AcquireMessage,
  type ConnectMessage,
  type ObservedPool,
  observedPools,
  type QueryMessage,
  type ReleaseMessage,
  type ScalingLevel,
  type ScalingMessage,
} from '@dal/core';
import { errorAttributes } from './error-attributes.ts';
import { type Instruments, observables, openInstruments } from './instruments.ts';
import type { KnownPools } from './known-pool.ts';
import { MeterSource } from './meter-source.ts';
import type { Meter } from './open-telemetry.ts';
import { PoolLevels } from './pool-levels.ts';
import type { StatementReader } from './statement-facts.ts';
import type { TelemetrySettings } from './telemetry-options.ts';

/** Turns messages into metrics. */
export class Metering {
  readonly #settings: TelemetrySettings;
  readonly #pools: KnownPools;
  readonly #reader: StatementReader;
  readonly #source: MeterSource;
  readonly #counted = new WeakSet<ObservedPool>();
  /** The last word of `@dal/scaling` on each pool. */
  readonly #scaling = new WeakMap<ObservedPool, number>();
  #instruments: Instruments | undefined;
  #stopObserving: (() => void) | undefined;

  constructor(settings: TelemetrySettings, pools: KnownPools, reader: StatementReader) {
    this.#settings = settings;
    this.#pools = pools;
    this.#reader = reader;
    this.#source = new MeterSource(settings.meterProvider);
    this.#find();
  }

  readonly onQuery = (message: QueryMessage): void => {
    const made = this.#find();
    if (!made) return;
    const { database, statement, kind, durationMs = 0, result, error } = message;
    const { pool } = database;
    const known = this.#pools.of(pool);
    const { onMetrics } = known.of(this.#reader.read(statement, kind, pool.dialect));
    const attributes = error ? { ...onMetrics, ...errorAttributes(error) } : onMetrics;
    made.duration?.record(durationMs / 1_000, attributes);
    if (result && returnsRows[kind]) made.returnedRows?.record(result.rowCount, attributes);
  };

  readonly onAcquire = ({ pool, durationMs = 0, error }: AcquireMessage): void => {
    const made = this.#find();
    if (!made) return;
    const { ofPool } = this.#pools.of(pool);
    this.#countFromZero(made, pool);
    if (!error) made.waitTime?.record(durationMs / 1_000, ofPool);
    else if (error.code === 'DAL_POOL_TIMEOUT') made.timeouts?.add(1, ofPool);
  };

  readonly onConnect = ({ pool, durationMs = 0, error }: ConnectMessage): void => {
    const made = this.#find();
    if (!made) return;
    this.#countFromZero(made, pool);
    if (!error) made.createTime?.record(durationMs / 1_000, this.#pools.of(pool).ofPool);
  };

  readonly onRelease = ({ pool, useMs }: ReleaseMessage): void => {
    this.#find()?.useTime?.record(useMs / 1_000, this.#pools.of(pool).ofPool);
  };

  /** What `@dal/scaling` tells when the advice on a pool has changed. */
  readonly onScaling = ({ pool, level }: ScalingMessage): void => {
    this.#scaling.set(pool, pressure[level]);
  };

  stop(): void {
    this.#stopObserving?.();
  }

  /** The instruments; undefined as long as the program has no provider. */
  #find(): Instruments | undefined {
    if (this.#instruments) return this.#instruments;
    const meter = this.#source.find();
    if (!meter) return undefined;
    const made = openInstruments(meter, this.#settings.metricsOff);
    this.#instruments = made;
    this.#observe(meter, made);
    for (const pool of observedPools) this.#countFromZero(made, pool);
    return made;
  }

  #observe(meter: Meter, { levels }: Instruments): void {
    const all = observables(levels);
    if (all.length === 0) return;
    const { observe } = new PoolLevels(this.#pools, levels, this.#scaling);
    meter.addBatchObservableCallback(observe, all);
    this.#stopObserving = () => meter.removeBatchObservableCallback(observe, all);
  }

  /** A series that begins with its first increment hides that increment from those who ask for rates. */
  #countFromZero({ timeouts }: Instruments, pool: ObservedPool): void {
    if (!timeouts || this.#counted.has(pool)) return;
    this.#counted.add(pool);
    timeouts.add(0, this.#pools.of(pool).ofPool);
  }
}

const pressure: Readonly<Record<ScalingLevel, number>> = {
  normal: 0,
  mild: 1,
  high: 2,
  critical: 3,
};

/** What takes rows, or gives something else. */
const returnsRows = { statement: true, stream: true, native: true, many: false, bulk: false };
