import { join } from 'node:path';
import { runConformance } from '@dal/testing/conformance';
import { describe, inject, test } from 'vitest';
import { postgresDriver } from '../src/index.ts';

for (const { name, url } of inject('engines').filter((engine) => engine.name === 'postgres')) {
  describe(name, () => {
    runConformance({
      test,
      describe,
      driver: postgresDriver,
      config: url,
      stuckStatement: 'SELECT pg_sleep(60)',
      insertId: false,
      sessions: {
        id: 'SELECT pg_backend_pid()',
        alive: 'SELECT COUNT(*) FROM pg_stat_activity WHERE pid = ?',
        busy: "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = ? AND state = 'active'",
        kill: (id) => `SELECT pg_terminate_backend(${id})`,
      },
      cardFile: join(import.meta.dirname, '../conformance.json'),
    });
  });
}
