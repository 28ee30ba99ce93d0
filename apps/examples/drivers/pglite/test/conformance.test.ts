import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runConformance } from '@dal/testing/conformance';
import { driver, pglite } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'pglite-'));
const config = `pglite:${folder}`;
// PostgreSQL takes a second to start: it goes on from one test to the next.
const kept = pglite(config);

before(() => kept.connect());
after(async () => {
  await kept.close();
  rmSync(folder, { recursive: true, force: true });
});

runConformance({
  test,
  describe,
  driver,
  config,
  level: 'steady',
  // It would run in this very thread.
  stuckStatement: false,
  // RETURNING tells it.
  insertId: false,
  cardFile: join(import.meta.dirname, '..', 'conformance.json'),
});
