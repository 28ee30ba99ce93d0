import type { PoolProfile, PoolSettings } from '@dal/core';

const AUTO_SCALE = { up: 0.8, down: 0.3 };

/** What a pool starts from; options beside a profile win. */
export const profiles: Readonly<Record<PoolProfile, Partial<PoolSettings>>> = {
  /** Many short requests, in waves: warm, roomy, and quick to say no. */
  web: { min: 20, max: 100, acquireTimeoutMs: 5_000, autoScale: AUTO_SCALE },
  /** A few long jobs that can wait. */
  worker: { min: 2, max: 10, acquireTimeoutMs: 60_000 },
  /** Steady loads of data. */
  pipeline: { min: 5, max: 20, maxLifetimeMs: 1_800_000, idleTimeoutMs: 600_000 },
  /** Many small instances that are frozen between calls: hold little, trust nothing that rested. */
  serverless: {
    min: 0,
    max: 2,
    acquireTimeoutMs: 5_000,
    idleTimeoutMs: 10_000,
    maxLifetimeMs: 300_000,
  },
};
