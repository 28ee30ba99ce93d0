import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { runConformance } from '@dal/testing/conformance';
import { driver } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'duckdb-'));
after(() => rmSync(folder, { recursive: true, force: true }));

runConformance({
  test,
  describe,
  driver,
  config: `duckdb:${join(folder, 'test.duckdb')}`,
  level: 'steady',
  // DuckDB has sequences and no counting columns; RETURNING tells what they gave.
  insertId: false,
  cardFile: join(import.meta.dirname, '..', 'conformance.json'),
});
