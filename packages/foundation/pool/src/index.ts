export { type Admission, ADMIT_ALL } from './admission.ts';
export { type Holding, holdsSomething, isHeldBy, whileHolding } from './holding.ts';
export { callerLines, type Lease, type LoanOwner, reportLease } from './lease.ts';
export { type LendingPool, PoolShare, type PoolShareParts } from './pool-share.ts';
export type { LimitEvent, LimitListener } from './server-limit.ts';
export {
  type PoolSizeFacts,
  type SuggestedPoolSize,
  suggestPoolSize,
} from './suggest-pool-size.ts';
export { Pool, type PoolParts } from './pool.ts';
export type { PoolListener } from './leak-watch.ts';
export { type PoolOptions, readPoolOptions } from './pool-options.ts';
export { destroySession, noticeLoss, pingConnection, type Session, statusOf } from './session.ts';
export { giveTurn, takeTurn } from './turns.ts';
