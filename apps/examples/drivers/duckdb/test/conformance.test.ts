import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runConformance } from '@dal/testing/conformance';
import { driver, duckdb } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'duckdb-'));
const config = `duckdb:${join(folder, 'test.duckdb')}`;
// The file stays open from one test to the next, as it does in a program.
const kept = duckdb(config);

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
  // DuckDB has sequences and no counting columns; RETURNING tells what they gave.
  insertId: false,
  cardFile: join(import.meta.dirname, '..', 'conformance.json'),
});
