import { join } from 'node:path';
import { runConformance } from '@dal/testing/conformance';
import { describe, inject, test } from 'vitest';
import { sqliteDriver } from '../src/index.ts';

for (const { url } of inject('engines').filter(({ name }) => name === 'sqlite')) {
  describe('in a file', () => {
    const cardFile = join(import.meta.dirname, '../conformance.json');
    runConformance({ test, describe, driver: sqliteDriver, config: url, cardFile });
  });
}

describe('in memory, in this thread', () => {
  const config = { path: ':memory:', runsIn: 'inline' };
  runConformance({ test, describe, driver: sqliteDriver, config, stuckStatement: false });
});
