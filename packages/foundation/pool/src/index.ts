export { type Holding, isHeldBy, whileHolding } from './holding.ts';
export { type Lease, reportLease } from './lease.ts';
export { Pool, type PoolParts } from './pool.ts';
export { type PoolOptions, type PoolSettings, readPoolOptions } from './pool-options.ts';
export { destroySession, noticeLoss, pingConnection, type Session, statusOf } from './session.ts';
export { giveTurn, takeTurn } from './turns.ts';
