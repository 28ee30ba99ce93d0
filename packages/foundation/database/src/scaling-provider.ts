import { ConfigError, type ObservedPool, type ScalingAdvice } from '@dal/core';

/** Who knows when to scale: `@dal/scaling`, while it is enabled. */
export interface ScalingProvider {
  advise(pool: ObservedPool): ScalingAdvice;
}

/**
 * Makes `db.scaling()` work in this thread, for every copy of this package.
 *
 * @returns what takes it away again
 */
export function provideScaling(provider: ScalingProvider): () => void {
  (globalThis as Slot)[slot] = provider;
  return () => {
    if ((globalThis as Slot)[slot] === provider) delete (globalThis as Slot)[slot];
  };
}

/** @throws ConfigError when nobody was provided */
export function adviseBy(pool: ObservedPool): ScalingAdvice {
  const provider = (globalThis as Slot)[slot];
  if (provider !== undefined) return provider.advise(pool);
  throw new ConfigError(
    'db.scaling() needs the package @dal/scaling: npm install @dal/scaling, and call enableScaling() once at the start of the program.',
    { kind: 'usage', code: 'DAL_SCALING_MISSING' },
  );
}

const slot = Symbol.for('dal.scaling');

interface Slot {
  [slot]?: ScalingProvider;
}
