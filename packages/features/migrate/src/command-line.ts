import { parseArgs } from 'node:util';
import { type Database, type MigrationReport, suggest } from '@dal/core';
import { createMigration } from './create-migration.ts';
import {
  checkMigrations,
  migrate,
  migrationStatus,
  resolveMigration,
  rollback,
} from './migrate.ts';
import { openTarget } from './open-target.ts';

/** What the command line talks to. */
export interface Terminal {
  readonly signal: AbortSignal;
  /** The answer: standard output. */
  readonly print: (text: string) => void;
  /** Everything else: standard error. */
  readonly report: (text: string) => void;
}

/** What the process ends with. */
export const EXIT = { done: 0, failed: 1, usage: 2, pending: 3, locked: 4, stopped: 130 } as const;

/** Runs one command and answers the exit code; never rejects. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  let json = args.includes('--json');
  try {
    const { values, positionals } = readArguments(args);
    json = values.json === true;
    const [command = 'help', ...rest] = positionals;
    if (values.help || command === 'help') {
      terminal.print(HELP);
      return EXIT.done;
    }
    const { data, text, code } = await run(command, rest, values, terminal);
    terminal.print(json ? JSON.stringify(data) : text);
    return code;
  } catch (error) {
    const { message, code, migration } = error as {
      message?: string;
      code?: unknown;
      migration?: unknown;
    };
    if (json) terminal.print(JSON.stringify({ error: { code, migration, message } }));
    else terminal.report(`dal-migrate: ${message ?? String(error)}`);
    if (terminal.signal.aborted) return EXIT.stopped;
    if (error instanceof UsageError) return EXIT.usage;
    return code === 'DAL_MIGRATION_LOCKED' ? EXIT.locked : EXIT.failed;
  }
}

const HELP = `dal-migrate <command> [options]

  up                          run what has not run yet
  down                        undo the newest one; --steps 3, or --to 0004 for all above it
  status                      what has run and what has not
  check                       for pipelines: 0 all has run, 3 something is pending, 1 something is wrong
  create <name>               write an empty migration; --type sql, ts or js
  resolve <name> applied      after a repair by hand: the database is as the file says
  resolve <name> pending      after a repair by hand: nothing of it is there

  --url <url>                 the database; default: DATABASE_URL of the environment, which is also
                              the better place for a password
  --dir <folder>              default: ./migrations
  --to <number or name>       the last one to run; for down: the one that stays, 0 for none
  --dry-run                   say what would run, with its statements, and change nothing
  --resume                    go on with one that was left half-way
  --out-of-order              run one that comes before others that have run
  --allow-newer               accept that newer ones have run, of which there are no files
  --table <name>              the history; default: dal_migrations
  --wait <time>               for another process that migrates; default: 60s
  --lock-timeout <time>       for locks of tables and rows; default: 10s
  --statement-timeout <time>  for each statement of an SQL file; default: none
  --json                      the answer as JSON, errors too

Ends with 0: done, 1: failed, 2: wrong use, 3: pending (check), 4: another process held the lock.`;

const COMMANDS = ['up', 'down', 'status', 'check', 'create', 'resolve', 'help'];

const OPTIONS = {
  url: { type: 'string' },
  dir: { type: 'string' },
  to: { type: 'string' },
  steps: { type: 'string' },
  type: { type: 'string' },
  table: { type: 'string' },
  wait: { type: 'string' },
  'lock-timeout': { type: 'string' },
  'statement-timeout': { type: 'string' },
  'dry-run': { type: 'boolean' },
  resume: { type: 'boolean' },
  'out-of-order': { type: 'boolean' },
  'allow-newer': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

type Arguments = ReturnType<typeof readArguments>['values'];

interface Answer {
  readonly data: unknown;
  readonly text: string;
  readonly code: number;
}

/** The command was not understood; nothing was done. */
class UsageError extends Error {
  readonly code = 'DAL_MIGRATE_USAGE';
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    const unknown = args
      .filter((arg) => arg.startsWith('--'))
      .map((arg) => arg.slice(2).split('=')[0] ?? '')
      .find((name) => !Object.hasOwn(OPTIONS, name));
    const likely = unknown === undefined ? undefined : suggest(unknown, Object.keys(OPTIONS));
    if (unknown === undefined) throw new UsageError((error as Error).message);
    const advice = likely ? `Did you mean "--${likely}"?` : 'See dal-migrate --help.';
    throw new UsageError(`Unknown option "--${unknown.slice(0, 40)}". ${advice}`);
  }
}

async function run(
  command: string,
  rest: readonly string[],
  values: Arguments,
  terminal: Terminal,
): Promise<Answer> {
  if (!COMMANDS.includes(command)) {
    const likely = suggest(command, COMMANDS);
    throw new UsageError(
      `Unknown command "${command.slice(0, 40)}".${likely ? ` Did you mean "${likely}"?` : ''} See dal-migrate --help.`,
    );
  }
  const dir = values.dir ?? './migrations';
  if (command === 'create') return create(rest, dir, values.type);
  const wanted = command === 'resolve' ? 2 : 0;
  if (rest.length !== wanted) {
    throw new UsageError(
      wanted === 0
        ? `"${command}" takes no further words.`
        : '"resolve" takes a name and one of: applied, pending.',
    );
  }
  const db = await openTarget(values.url);
  try {
    const folder = folderOptions(dir, values);
    switch (command) {
      case 'status':
        return status(await migrationStatus(db, folder));
      case 'check':
        return check(await checkMigrations(db, folder));
      case 'resolve':
        return await resolve(db, rest, folder, values, terminal);
      default:
        return await migrateOr(command, db, folder, values, terminal);
    }
  } finally {
    await db.close({ timeoutMs: 5_000 });
  }
}

function folderOptions(dir: string, values: Arguments) {
  return {
    dir,
    ...(values.table === undefined ? {} : { table: values.table }),
    outOfOrder: values['out-of-order'] === true,
    allowNewer: values['allow-newer'] === true,
  };
}

async function migrateOr(
  command: string,
  db: Database,
  folder: ReturnType<typeof folderOptions>,
  values: Arguments,
  { signal, report }: Terminal,
): Promise<Answer> {
  if (command === 'up' && values.steps !== undefined) {
    throw new UsageError('--steps is for "down". For "up" there is --to.');
  }
  const options = {
    ...folder,
    ...(values.to === undefined ? {} : { to: values.to }),
    ...(values.wait === undefined ? {} : { waitTimeoutMs: values.wait }),
    ...(values['lock-timeout'] === undefined ? {} : { lockTimeoutMs: values['lock-timeout'] }),
    ...(values['statement-timeout'] === undefined
      ? {}
      : { statementTimeoutMs: values['statement-timeout'] }),
    dryRun: values['dry-run'] === true,
    resume: values.resume === true,
    signal,
    log: report,
  };
  const answer =
    command === 'up'
      ? await migrate(db, options)
      : await rollback(
          db,
          values.steps === undefined ? options : { ...options, steps: Number(values.steps) },
        );
  return { data: answer, text: describe(answer), code: EXIT.done };
}

async function resolve(
  db: Database,
  [name = '', as]: readonly string[],
  folder: ReturnType<typeof folderOptions>,
  values: Arguments,
  { signal, report }: Terminal,
): Promise<Answer> {
  if (as !== 'applied' && as !== 'pending') {
    throw new UsageError('"resolve" takes a name and one of: applied, pending.');
  }
  const wait = values.wait === undefined ? {} : { waitTimeoutMs: values.wait };
  const resolved = await resolveMigration(db, name, as, {
    ...folder,
    ...wait,
    signal,
    log: report,
  });
  return { data: { name: resolved, state: as }, text: `${resolved} is ${as} now`, code: EXIT.done };
}

async function create(rest: readonly string[], dir: string, type = 'sql'): Promise<Answer> {
  if (rest.length === 0)
    throw new UsageError('"create" needs a name: dal-migrate create add_email');
  if (type !== 'sql' && type !== 'ts' && type !== 'js') {
    throw new UsageError('--type must be one of: sql, ts, js.');
  }
  const path = await createMigration(rest.join('_'), { dir, type });
  return { data: { path }, text: path, code: EXIT.done };
}

function status(statuses: Awaited<ReturnType<typeof migrationStatus>>): Answer {
  const lines = statuses.map(({ name, state, appliedAt }) =>
    `${state.padEnd(8)}  ${name}${appliedAt ? `  ${appliedAt.toISOString()}` : ''}`.trimEnd(),
  );
  return {
    data: { migrations: statuses },
    text: lines.join('\n') || 'no migrations',
    code: EXIT.done,
  };
}

function check({ problems, pending }: Awaited<ReturnType<typeof checkMigrations>>): Answer {
  const code = problems.length > 0 ? EXIT.failed : pending.length > 0 ? EXIT.pending : EXIT.done;
  const shownProblems = problems.map((problem) => {
    const { code: name, migration, message } = problem;
    return { code: name, migration, message };
  });
  const lines = [
    ...problems.map(({ message }) => message),
    ...pending.map((name) => `pending: ${name}`),
  ];
  return {
    data: { problems: shownProblems, pending },
    text: lines.join('\n') || 'all migrations have run',
    code,
  };
}

function describe({ migrations, dryRun }: MigrationReport): string {
  if (!dryRun) {
    const [count] = [migrations.length];
    return count === 0 ? 'nothing to do' : `${count} migration${count === 1 ? '' : 's'} done`;
  }
  const lines = migrations.flatMap(({ direction, file, transaction, statements }) => [
    `-- would run ${direction}: ${JSON.stringify(file)}${transaction ? '' : ', without a transaction'}`,
    ...statements.map((text) => `${text};`),
  ]);
  return lines.join('\n') || '-- nothing to do';
}
