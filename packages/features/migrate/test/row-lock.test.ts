// The lock for drivers that have none of their own, on drivers that were robbed of theirs.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, Driver } from '@dal/core';
import { openDatabase } from '@dal/database';
import { driver as mysql } from '@dal/mysql';
import { driver as postgres } from '@dal/postgres';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { migrate } from '../src/index.ts';

const drivers: Readonly<Record<string, Driver>> = {
  postgres: postgres,
  mysql: mysql,
  mariadb: mysql,
};
const servers = inject('engines').filter(({ name }) => name in drivers);

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dal-migrate-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe.each(servers)('$name without a lock for sessions', ({ name, url }) => {
  const table = `mig_row_${process.pid}_${name}`;
  const open = (): Database => {
    const driver = drivers[name] as Driver;
    const { sessionLock: _, catalog: _catalog, ...dialect } = driver.dialect;
    return openDatabase({ ...driver, dialect }, url);
  };

  test('of two at once one runs and one waits, also when one loses its lock', async () => {
    await using one = open();
    await using two = open();
    try {
      await writeFile(join(dir, '1_a.sql'), `CREATE TABLE ${table}_a (id INT)`);
      await writeFile(
        join(dir, '2_b.mjs'),
        `export const transaction = true;
export async function up({ db }) {
  await db.execute('INSERT INTO ${table}_a VALUES (1)');
  await new Promise((resolve) => setTimeout(resolve, 400));
}`,
      );
      const at = { dir, table };
      const reports = await Promise.all([migrate(one, at), migrate(two, at)]);
      const counts = reports.map(({ migrations }) => migrations.length);
      expect(counts.toSorted((a, b) => a - b)).toEqual([0, 2]);
      expect(await one.queryValue(`SELECT COUNT(*) FROM ${table}_a`)).toBe(1);

      const holder = await one.acquire();
      await holder.begin();
      await holder.execute(`UPDATE ${table}_lock SET turn = turn + 1`);
      await writeFile(join(dir, '3_c.sql'), `INSERT INTO ${table}_a VALUES (3)`);
      await expect(migrate(two, { ...at, waitTimeoutMs: 100 })).rejects.toMatchObject({
        code: 'DAL_MIGRATION_LOCKED',
      });
      await holder.destroy();
      expect((await migrate(two, at)).migrations).toHaveLength(1);
    } finally {
      for (const part of ['', '_a', '_lock'])
        await one.execute(`DROP TABLE IF EXISTS ${table}${part}`);
    }
  });
});
