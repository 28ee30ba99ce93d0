import type { Driver, ObservedDatabase } from '@dal/core';
import type { LendingPool } from '@dal/pool';
import type { CircuitBreaker, RetryBudget } from '@dal/resilience';
import type { DatabaseSettings } from './database-options.ts';
import type { Hooks } from './hooks.ts';
import type { StatementPlans } from './statement-plans.ts';

/** What every part of one database shares. */
export interface Runtime {
  readonly name: string;
  readonly configHash: string;
  readonly driver: Driver;
  /** What the user gave, for those who open the same database again elsewhere. */
  readonly config: Readonly<Record<string, unknown>>;
  /** As the driver read them. */
  readonly driverOptions: unknown;
  readonly pool: LendingPool;
  /** The database as those see it who listen on the channels. */
  readonly observed: ObservedDatabase;
  readonly settings: DatabaseSettings;
  readonly plans: StatementPlans;
  readonly hooks: Hooks;
  readonly budget: RetryBudget;
  /** Undefined unless the user asked for one. */
  readonly breaker: CircuitBreaker | undefined;
}
