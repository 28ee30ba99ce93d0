import { migrate, migrationStatus } from '@dal/migrate';
import { describe, expect, inject, test } from 'vitest';
import { type MigrationStage, setStage } from './migration-stage.ts';
import { startMigrating } from './start-migrating.ts';

/** Says that it is at work, and never ends when it is told so. */
const code = (transaction: boolean): string => `export const transaction = ${transaction};
export async function up({ db }) {
  await db.execute('INSERT INTO {p}a VALUES (2)');
  process.send?.({ log: 'at work' });
  const timer = setInterval(() => undefined, 1000);
  await new Promise((resolve) => setTimeout(resolve, process.env.MIGRATE_MODE === 'hang' ? 1e9 : 300));
  clearInterval(timer);
}`;

const FILES = {
  '1_a.sql': 'CREATE TABLE {p}a (id INT)',
  '2_slow.mjs': code(true),
  '3_more.sql': 'INSERT INTO {p}a VALUES (3)',
};

// Each test starts processes, on machines that may have much else to do.
describe.each(inject('engines'))('$name', { timeout: 90_000 }, (engine) => {
  test('two processes at once: one runs, one waits and has nothing to do', async () => {
    await using stage = await setStage(engine);
    await stage.write(FILES);
    await using one = startMigrating(stage);
    await using two = startMigrating(stage);
    const ends = await Promise.all([one.ended, two.ended]);
    const counts = ends.map(({ report }) => report?.migrations.length ?? -1);
    expect(counts.toSorted((a, b) => a - b)).toEqual([0, 3]);
    expect(await ids(stage)).toEqual([2, 3]);
  });

  test('a killed process frees the lock, and the one that waits goes on', async () => {
    await using stage = await setStage(engine);
    await stage.write(FILES);
    await using holder = startMigrating(stage, {}, 'hang');
    await holder.says('at work');
    await expect(migrate(stage.db, { ...stage.at, waitTimeoutMs: 300 })).rejects.toMatchObject({
      code: 'DAL_MIGRATION_LOCKED',
    });
    const { promise: waits, resolve: log } = Promise.withResolvers<string>();
    const waiter = migrate(stage.db, { ...stage.at, log });
    expect(await waits).toMatch(/another process/);
    holder.child.kill('SIGKILL');
    await holder.ended;
    const report = await waiter;
    expect(report.migrations.map(({ name }) => name)).toEqual(['2_slow', '3_more']);
    expect(report.waitedMs).toBeGreaterThan(0);
    expect(await ids(stage)).toEqual([2, 3]);
  });

  test('a process killed between statements that stay leaves word of where it was', async () => {
    await using stage = await setStage(engine);
    const slow = {
      postgres: 'SELECT pg_sleep(2)',
      mysql: 'SELECT SLEEP(2)',
      mariadb: 'SELECT SLEEP(2)',
      sqlite:
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n',
    }[engine.name];
    await stage.write({
      '1_a.sql': `-- dal: no transaction\nCREATE TABLE {p}a (id INT);\n${slow};\nCREATE TABLE {p}b (id INT);`,
    });
    await using holder = startMigrating(stage);
    await expect.poll(() => statementOf(stage), { timeout: 30_000 }).toBe(2);
    holder.child.kill('SIGKILL');
    await holder.ended;
    await expect(migrate(stage.db, { ...stage.at, waitTimeoutMs: '20s' })).rejects.toMatchObject({
      code: 'DAL_MIGRATION_HALF_WAY',
      message: expect.stringMatching(
        /statement 2 of 3 \(line 3: \w.*\) was begun, and the process .*Statement 1 is done/,
      ) as string,
    });
    expect(await stage.tables()).toEqual(['a', 'history']);
    await stage.write({
      '1_a.sql': `-- dal: no transaction\nCREATE TABLE {p}a (id INT);\nSELECT 1;\nCREATE TABLE {p}b (id INT);`,
    });
    await migrate(stage.db, { ...stage.at, resume: true });
    expect(await stage.tables()).toEqual(['a', 'b', 'history']);
    const [status] = await migrationStatus(stage.db, stage.at);
    expect(status?.state).toBe('applied');
  });
});

const postgres = inject('engines').filter(({ name }) => name === 'postgres');

test.each(postgres)('CREATE INDEX CONCURRENTLY is not held up by who waits', async (engine) => {
  await using stage = await setStage(engine);
  await stage.write({
    '1_a.sql': 'CREATE TABLE {p}a (id INT); INSERT INTO {p}a SELECT generate_series(1, 20000);',
    '2_index.sql': '-- dal: no transaction\nCREATE INDEX CONCURRENTLY {p}i ON {p}a (id);',
  });
  const waiters = Array.from({ length: 3 }, () => migrate(stage.db, { ...stage.at }));
  const reports = await Promise.all(waiters);
  const counts = reports.map(({ migrations }) => migrations.length);
  expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 2]);
});

async function ids({ db, prefix }: MigrationStage): Promise<number[]> {
  const rows = await db.query<{ id: number }>(`SELECT id FROM ${prefix}a ORDER BY id`);
  return rows.map(({ id }) => id);
}

async function statementOf({ db, table }: MigrationStage): Promise<number | undefined> {
  if (!(await db.schema.tableExists(table))) return undefined;
  return db.queryValue<number>(`SELECT statement_number FROM ${table} WHERE state = 'applying'`);
}
