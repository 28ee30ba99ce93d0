import {
  type Connection,
  type Database,
  type MigrateOptions,
  type MigrationReport,
  type MigrationRun,
  type Queryable,
} from '@dal/core';
import { History, type HistoryRow } from './history.ts';
import {
  type FolderOptions,
  type MigrateSettings,
  readMigrateOptions,
  type RollbackOptions,
} from './migrate-options.ts';
import { MigrationError } from './migration-error.ts';
import { findByWord, readMigrationFiles } from './migration-files.ts';
import { takeLock } from './migration-lock.ts';
import { type MigrationStatus, Plan } from './plan.ts';
import { type Migration, readMigration } from './read-migration.ts';
import { describeStep, prepareStep, runStep, type Step } from './run-migration.ts';

/**
 * Runs the migrations of a folder that have not run yet, in the order of their numbers. Of several
 * processes that call it at once, one runs them and the others wait; then they find nothing to do.
 *
 * @throws MigrationError, see its codes
 * @throws ConfigError that names a wrong option
 */
export async function migrate(db: Database, options: MigrateOptions): Promise<MigrationReport> {
  return run(db, readMigrateOptions(options), 'up');
}

/** Undoes migrations, the newest first: one, or `steps`, or all that are newer than `to`. */
export async function rollback(db: Database, options: RollbackOptions): Promise<MigrationReport> {
  return run(db, readMigrateOptions(options), 'down');
}

/** What has run and what has not; changes nothing. */
export async function migrationStatus(
  db: Database,
  options: FolderOptions,
): Promise<MigrationStatus[]> {
  const settings = readMigrateOptions(options);
  return (await look(db, settings, await readFolder(db, settings))).statuses;
}

/** Everything that would keep `migrate` from running, the gravest first; changes nothing. */
export async function checkMigrations(
  db: Database,
  options: FolderOptions,
): Promise<{ readonly problems: readonly MigrationError[]; readonly pending: readonly string[] }> {
  const settings = readMigrateOptions(options);
  const plan = await look(db, settings, await readFolder(db, settings));
  return { problems: plan.problems(settings), pending: plan.pending().map(({ name }) => name) };
}

/**
 * Puts the history right after a repair by hand, and runs nothing. `applied`: the database is as the
 * file says, also a changed one. `pending`: nothing of it is there, or it is to be forgotten.
 */
export async function resolveMigration(
  db: Database,
  migration: string,
  as: 'applied' | 'pending',
  options: FolderOptions & Pick<MigrateOptions, 'waitTimeoutMs' | 'log'>,
): Promise<string> {
  const settings = readMigrateOptions(options);
  const migrations = await readFolder(db, settings);
  return locked(db, settings, async ({ session, history, rows }) => {
    if (as === 'pending') {
      const { name } = findByWord(migration, [...migrations, ...rows]);
      await history.remove(session, name);
      return name;
    }
    const { name, file, checksum } = findByWord(migration, migrations);
    await history.put(session, {
      name,
      file,
      checksum,
      state: 'applied',
      statement: 0,
      failure: null,
    });
    return name;
  });
}

async function run(
  db: Database,
  settings: MigrateSettings,
  direction: Step['direction'],
): Promise<MigrationReport> {
  const { dryRun } = settings;
  const migrations = await readFolder(db, settings);
  const early = await look(db, settings, migrations);
  // What looks half-way may be at work just now: only who has the lock knows.
  const isClean = early.problems(settings).length === 0;
  const todo = isClean || dryRun ? await steps(early, settings, direction, db) : undefined;
  if (todo !== undefined && (dryRun || todo.length === 0)) {
    return { migrations: todo.map(describeStep), dryRun, waitedMs: 0 };
  }
  return locked(db, settings, async ({ session, history, lock, rows, waitedMs }) => {
    const plan = new Plan(migrations, rows);
    const runs: MigrationRun[] = [];
    for (const step of await steps(plan, settings, direction, session)) {
      settings.signal?.throwIfAborted();
      const startedAt = performance.now();
      const { statementTimeoutMs, signal } = settings;
      const context = { session, lock, history, statementTimeoutMs, signal };
      await runStep(step, context, plan.row(step.migration.name));
      const durationMs = performance.now() - startedAt;
      runs.push({ ...describeStep(step), durationMs });
      settings.log(`${direction} ${step.migration.name} (${Math.round(durationMs)} ms)`);
    }
    return { migrations: runs, dryRun: false, waitedMs };
  });
}

/** What has to run, loaded and checked. @throws MigrationError when nothing may run */
async function steps(
  plan: Plan,
  settings: MigrateSettings,
  direction: Step['direction'],
  { dialect }: Queryable,
): Promise<Step[]> {
  const [problem, ...others] = plan.problems({
    ...settings,
    // On the way back it is too late for the order.
    outOfOrder: settings.outOfOrder || direction === 'down',
  });
  if (problem) throw withOthers(problem, others);
  const todo =
    direction === 'up' ? plan.pending(settings.to) : plan.applied(settings.to, settings.steps);
  const prepared: Step[] = [];
  for (const migration of todo) {
    refuseOtherWay(migration, plan.row(migration.name), direction);
    prepared.push(await prepareStep(migration, direction, dialect));
  }
  return prepared;
}

interface Locked {
  readonly session: Connection;
  readonly history: History;
  readonly lock: Awaited<ReturnType<typeof takeLock>>['lock'];
  readonly rows: readonly HistoryRow[];
  readonly waitedMs: number;
}

/** Works in the session that has the lock. */
async function locked<T>(
  db: Database,
  settings: MigrateSettings,
  work: (locked: Locked) => Promise<T>,
): Promise<T> {
  const { table, lockTimeoutMs, signal } = settings;
  try {
    await using session = await db.acquire(signal ? { signal } : {});
    // Whatever migrations leave behind in the session is taken back before anybody else gets it.
    void session.raw;
    const { lock, waitedMs } = await takeLock(db, session, table, settings);
    try {
      for (const words of db.dialect.lockTimeout?.(lockTimeoutMs) ?? [])
        await session.execute(words);
      const history = new History(db.dialect, table);
      await history.open(session, true);
      const rows = await history.rows(session);
      return await work({ session, history, lock, rows, waitedMs });
    } finally {
      // A session that can't give the lock back takes it to its end.
      await lock.release(session).catch(() => session.destroy());
    }
  } catch (error) {
    if (!signal?.aborted || error instanceof MigrationError) throw error;
    throw new MigrationError('The migrations were stopped by their signal.', {
      code: 'DAL_CANCELLED',
      kind: 'cancelled',
      cause: error,
    });
  }
}

async function readFolder(db: Database, { dir }: MigrateSettings): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of await readMigrationFiles(dir)) {
    migrations.push(await readMigration(file, db.dialect));
  }
  return migrations;
}

/** Files and history as they are now, without the lock. */
async function look(
  db: Database,
  { table }: MigrateSettings,
  migrations: readonly Migration[],
): Promise<Plan> {
  const history = new History(db.dialect, table);
  const isThere = await history.open(db, false);
  return new Plan(migrations, isThere ? await history.rows(db) : []);
}

/** One that is half-way up can't be resumed down, nor the other way round. */
function refuseOtherWay(
  { name, file }: Migration,
  row: HistoryRow | undefined,
  direction: Step['direction'],
): void {
  const other = direction === 'up' ? 'reverting' : 'applying';
  if (row?.state !== other) return;
  const way = direction === 'up' ? 'down' : 'up';
  throw new MigrationError(
    `${file} was left half-way ${way}, so it can only go on ${way}: "dal-migrate ${way} --resume".`,
    { code: 'DAL_MIGRATION_HALF_WAY', migration: name },
  );
}

function withOthers(problem: MigrationError, others: readonly MigrationError[]): MigrationError {
  if (others.length === 0) return problem;
  const { code, migration, message } = problem;
  return new MigrationError(`${message} (${others.length} more: "dal-migrate check" lists them.)`, {
    code,
    ...(migration === undefined ? {} : { migration }),
  });
}
