export type { PoolBehaviour } from './pool-behaviour.ts';
export { poolBehaviours } from './pool-behaviours.ts';
export { type PoolStep, runPoolBehaviour, type VirtualClock } from './run-pool-behaviour.ts';
