import { join } from 'node:path';
import { runConformance } from '@dal/testing/conformance';
import { describe, inject, test } from 'vitest';
import { mysqlDriver } from '../src/index.ts';

const processes = 'SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?';

for (const { name, url } of inject('engines')) {
  if (name !== 'mysql' && name !== 'mariadb') continue;
  describe(name, () => {
    runConformance({
      test,
      describe,
      driver: mysqlDriver,
      config: url,
      stuckStatement: 'SELECT SLEEP(60)',
      sessions: {
        id: 'SELECT CONNECTION_ID()',
        alive: processes,
        busy: `${processes} AND command <> 'Sleep'`,
        kill: (id) => `KILL ${id}`,
      },
      cardFile: join(import.meta.dirname, `../conformance.${name}.json`),
    });
  });
}
