import { runConformance } from '@dal/testing/conformance';
import { sqliteDriver } from '@dal/sqlite';
import { describe, test } from 'node:test';

// Started by kit.test.ts, with Node's own test runner.
runConformance({
  test,
  describe,
  driver: sqliteDriver,
  config: { path: process.env['DAL_KIT_FILE'], runsIn: 'inline', busyTimeoutMs: 100 },
  stuckStatement: false,
});
