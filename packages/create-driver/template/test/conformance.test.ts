import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { runConformance } from '@dal/testing/conformance';
import { driver } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'the-vendor-'));
after(() => rmSync(folder, { recursive: true, force: true }));

runConformance({
  test,
  describe,
  driver,
  // TODO A database that tests may fill and empty.
  config: `the-vendor:${join(folder, 'test.db')}`,
  // TODO `speaks` while you begin: what lies beyond is run and shown, and fails nothing.
  level: 'steady',
  // TODO A statement that runs for a minute. `false`: it would run in this very thread.
  stuckStatement: false,
  cardFile: join(import.meta.dirname, '..', 'conformance.json'),
});
