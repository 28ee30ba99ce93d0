import type { Driver } from '@dal/core';
import type { Pool } from '@dal/pool';
import type { DatabaseSettings } from './database-options.ts';

/** What every part of one database shares. */
export interface Runtime {
  readonly name: string;
  readonly configHash: string;
  readonly driver: Driver;
  readonly pool: Pool;
  readonly settings: DatabaseSettings;
}
