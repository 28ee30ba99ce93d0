import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';
import { type FuzzEngine, fuzzTransactions } from './transaction-fuzz.ts';

const mysql = {
  slow: 'SELECT sleep(0.004) AS slept',
  kill: (session: number) => `KILL ${session}`,
  sessionId: 'SELECT connection_id()',
};
const details: Record<FuzzEngine['name'], Omit<FuzzEngine, 'name'>> = {
  postgres: {
    slow: 'SELECT pg_sleep(0.004)',
    kill: (session) => `SELECT pg_terminate_backend(${session}, 5000)`,
    sessionId: 'SELECT pg_backend_pid()',
  },
  mysql,
  mariadb: mysql,
  sqlite: {
    slow: 'WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000) SELECT MAX(i) FROM c',
    kill: undefined,
    sessionId: undefined,
  },
};

// FUZZ_SEED and FUZZ_STEPS run another program, or a longer one.
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const steps = Number(process.env['FUZZ_STEPS'] ?? 10_000);

test.each(inject('engines'))(
  '$name: a random program of statements and transactions does what the model does',
  { timeout: 30 * steps + 30_000 },
  async ({ name, url }) => {
    await using db = await createDatabase(url, { pool: { max: 2 } });
    await using observer = await createDatabase(url, { pool: { max: 1 } });
    const report = await fuzzTransactions(
      db,
      observer,
      { name, ...details[name] },
      { steps, seed },
    );
    console.log(name, report.steps);
    expect(Object.values(report.steps).reduce((sum, count) => sum + count)).toBe(steps);
  },
);
