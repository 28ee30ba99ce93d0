import { execFileSync } from 'node:child_process';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

describe.each(inject('engines'))('$name', ({ name, url }) => {
  const commits = `commit_marks_${name}`;
  const table = `commit_table_${name}`;
  let db: Database;
  let direct: Database;

  beforeAll(async () => {
    direct = await createDatabase(url, { name: 'direct', pool: { max: 1 } });
    for (const each of [commits, table]) await direct.execute(`DROP TABLE IF EXISTS ${each}`);
    await direct.execute(`CREATE TABLE ${table} (id ${direct.dialect.types.integer} NOT NULL)`);
    db = await createDatabase(url, { pool: { max: 2 }, commitTable: commits });
  });
  afterAll(async () => {
    await db.close();
    for (const each of [commits, table]) await direct.execute(`DROP TABLE IF EXISTS ${each}`);
    await direct.close();
  });

  const marks = async (): Promise<number[]> => {
    const rows = await direct.query(`SELECT commits FROM ${commits} ORDER BY commits`);
    return rows.map(({ commits: count }) => Number(count));
  };

  test('the table is made when it is needed, and has one row a session', async () => {
    for (let id = 0; id < 5; id++) {
      await db.transaction((tx) => tx.execute(`INSERT INTO ${table} VALUES (?)`, [id]));
    }
    expect(await marks()).toEqual([5]);
    const both = [10, 11].map((id) =>
      db.connection((connection) =>
        connection.transaction(async (tx) => {
          await tx.query('SELECT 1');
          await connection.query('SELECT 1');
          await tx.execute(`INSERT INTO ${table} VALUES (?)`, [id]);
        }),
      ),
    );
    await Promise.all(both);
    expect((await marks()).reduce((sum, count) => sum + count)).toBe(7);
    expect((await marks()).length).toBeLessThanOrEqual(2);
  });

  test('what is undone or only reads leaves no mark', async () => {
    const before = await marks();
    await db.transaction((tx) => tx.query(`SELECT * FROM ${table}`));
    await db.transaction((tx) => tx.query(`SELECT * FROM ${table}`), { readOnly: true });
    const undone = db.transaction(async (tx) => {
      await tx.execute(`INSERT INTO ${table} VALUES (20)`);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    const open = (counts: number[]): number => counts.reduce((sum, count) => sum + count, 0);
    expect(open(await marks())).toBe(open(before));
  });

  test('rows of sessions that are long gone are swept', async () => {
    await direct.execute(`INSERT INTO ${commits} VALUES (?, ?, ?)`, ['gone', 999, 0]);
    await using fresh = await createDatabase(url, { pool: { max: 1 }, commitTable: commits });
    await fresh.transaction((tx) => tx.execute(`INSERT INTO ${table} VALUES (30)`));
    expect(await marks()).not.toContain(999);
  });

  test('a row that was taken away undoes the transaction, and the next one has another', async () => {
    await using own = await createDatabase(url, { pool: { max: 1 }, commitTable: commits });
    const insert = (): Promise<unknown> =>
      own.transaction((tx) => tx.execute(`INSERT INTO ${table} VALUES (40)`));
    await insert();
    await direct.execute(`DELETE FROM ${commits}`);
    await expect(insert()).rejects.toMatchObject({
      code: 'DAL_COMMIT_TABLE',
      fault: { applied: 'no' },
    });
    await insert();
    expect(Number(await direct.queryValue(`SELECT COUNT(*) FROM ${table} WHERE id = 40`))).toBe(2);
  });

  test('a table that can not be made is said, with the words that make it', async () => {
    const options = { pool: { max: 1 }, commitTable: 'no_such_place.marks' };
    await using other = await createDatabase(url, options);
    const outcome = other.transaction((tx) => tx.query('SELECT 1'));
    await expect(outcome).rejects.toThrow(/CREATE TABLE IF NOT EXISTS .no_such_place.\..marks./);
    await expect(outcome).rejects.toMatchObject({ code: 'DAL_COMMIT_TABLE' });
  });

  test.runIf(name === 'sqlite')(
    'a process that is killed around COMMIT leaves no doubt',
    async () => {
      const before = children();
      await using own = await createDatabase(url, { pool: { max: 1 }, commitTable: commits });
      const counts = { committed: 0, rolledBack: 0 };
      for (let id = 100; id < 108; id++) {
        const outcome = await own
          .transaction(async (tx) => {
            await tx.execute(`INSERT INTO ${table} VALUES (?)`, [id]);
            const [session] = children().filter((pid) => !before.includes(pid));
            setTimeout(() => process.kill(session as number, 'SIGKILL'), (id % 4) * 0.7);
          })
          .then(
            () => 'committed' as const,
            (error: unknown) => {
              expect(error).toMatchObject({ fault: { applied: 'no' } });
              return 'rolledBack' as const;
            },
          );
        counts[outcome]++;
        const present = await direct.queryValue(`SELECT COUNT(*) FROM ${table} WHERE id = ?`, [id]);
        expect([id, Number(present)]).toEqual([id, outcome === 'committed' ? 1 : 0]);
        await expect.poll(() => own.pool.stats().lostConnections).toBe(id - 99);
      }
    },
  );
});

/** The processes that this one has started, but for the one that looks. */
function children(): number[] {
  const found = execFileSync('ps', ['-o', 'pid=,comm=', '--ppid', String(process.pid)], {
    encoding: 'utf8',
  });
  const lines = found.trim().split('\n');
  return lines.filter((line) => !line.endsWith(' ps')).map((line) => Number.parseInt(line, 10));
}
