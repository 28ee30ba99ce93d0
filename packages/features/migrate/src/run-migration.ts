import {
  type Connection,
  type DalError,
  type Dialect,
  type HeldLock,
  isDalError,
  type MigrationRun,
  type Queryable,
} from '@dal/core';
import { checksumOfDone, type History, type HistoryRow } from './history.ts';
import { loadCode } from './load-code.ts';
import { MigrationError, shown } from './migration-error.ts';
import { checkLock } from './migration-lock.ts';
import { describeStatement } from './plan.ts';
import type { Migration, SqlPart } from './read-migration.ts';

/** What a migration runs with. */
export interface RunContext {
  /** The session that has the lock. */
  readonly session: Connection;
  readonly lock: HeldLock;
  readonly history: History;
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One direction of a migration, ready to run. */
export interface Step {
  readonly migration: Migration;
  readonly direction: 'up' | 'down';
  /** Undefined for code. */
  readonly sql: SqlPart | undefined;
  /** All or nothing, together with the line in the history. */
  readonly transaction: boolean;
  /** Calls the code; undefined for SQL. */
  readonly code: ((context: CodeContext) => unknown) | undefined;
}

/** What `up` and `down` of a migration in code are called with. */
export interface CodeContext {
  /** A transaction, or the connection where there is none. Its end belongs to the migration's runner. */
  readonly db: Queryable;
  readonly signal: AbortSignal;
}

/** Loads and checks what is to run, so that nothing begins that can't go on. */
export async function prepareStep(
  migration: Migration,
  direction: 'up' | 'down',
  dialect: Dialect,
): Promise<Step> {
  if (migration.kind === 'code') {
    const code = await loadCode(migration, direction);
    const transaction = code.transaction ?? (dialect.transaction !== null && !dialect.ddlCommits);
    return { migration, direction, sql: undefined, transaction, code: code.run };
  }
  const sql = migration[direction];
  if (sql === undefined) throw noWayBack(migration);
  const transaction = sql.transaction && canBeUndone(sql, dialect);
  if (transaction) refuseOwnTransaction(sql, migration);
  return { migration, direction, sql, transaction, code: undefined };
}

/** What a step will be in the report. */
export function describeStep({ migration, direction, sql, transaction }: Step): MigrationRun {
  return {
    name: migration.name,
    file: sql?.file ?? migration.file,
    direction,
    transaction,
    statements: sql?.statements.map(({ text }) => text) ?? [],
    durationMs: 0,
  };
}

/** Runs one step, and writes into the history how it went. */
export async function runStep(
  step: Step,
  context: RunContext,
  from: HistoryRow | undefined,
): Promise<void> {
  const first = resumeAt(step, from);
  if (step.transaction) await runWhole(step, context, first);
  else await runPiecemeal(step, context, first);
}

/** In one transaction, with its line in the history. */
async function runWhole(step: Step, context: RunContext, first: number): Promise<void> {
  const { session, lock } = context;
  const at: Place = { statement: 0 };
  try {
    await session.transaction(
      async (tx) => {
        await checkLock(lock, tx);
        await perform(step, context, tx, at, first);
        at.statement = 0;
        await writeEnd(step, context.history, tx);
      },
      // Code may send DDL that commits: then the transaction would be none.
      step.code ? { strictDdl: true } : {},
    );
  } catch (error) {
    throw failed(step, at, error, 'All of it was rolled back.');
  }
}

/** Statement by statement. The history knows at any time how far it is, should nobody come back. */
async function runPiecemeal(step: Step, context: RunContext, first: number): Promise<void> {
  const { session, lock, history } = context;
  const { migration, direction, sql } = step;
  const at: Place = { statement: 0 };
  const row = (statement: number, failure: string | null): Omit<HistoryRow, 'at'> => ({
    name: migration.name,
    file: migration.file,
    checksum: checksumOfDone(sql?.statements ?? [], statement - 1),
    state: direction === 'up' ? 'applying' : 'reverting',
    statement,
    failure,
  });
  await checkLock(lock, session);
  let safe = first;
  await history.put(session, row(first, null));
  try {
    await perform(step, context, session, at, first, async (statement) => {
      // Inside a transaction of the file's own the line would go with it.
      if (session.inTransaction || statement === first) return;
      safe = statement;
      await history.put(session, row(statement, null));
    });
    if (session.inTransaction) throw leftOpen();
  } catch (error) {
    const failure = `${placeOf(step, at)} failed: ${describe(error)}`;
    await noteFailure(session, () => history.put(session, row(safe, failure)));
    throw failed(step, at, error, piecemealAdvice(step, safe));
  }
  await writeEnd(step, history, session);
}

interface Place {
  /** The statement that was sent last; 0: none. */
  statement: number;
}

async function perform(
  { sql, code }: Step,
  { statementTimeoutMs, signal }: RunContext,
  on: Queryable,
  at: Place,
  first: number,
  before?: (statement: number) => Promise<void>,
): Promise<void> {
  if (code) {
    await code({ db: on, signal: signal ?? new AbortController().signal });
    return;
  }
  for (const [index, { text, label }] of (sql?.statements ?? []).entries()) {
    if (index + 1 < first) continue;
    await before?.(index + 1);
    at.statement = index + 1;
    // Past the layer's own reading of the text: a "?" is the engine's here, and nothing is repeated.
    await on.native.run(label, (connection) => connection.query({ text, values: [] }), {
      timeoutMs: statementTimeoutMs,
      ...(signal ? { signal } : {}),
    });
  }
}

async function writeEnd(
  { migration, direction }: Step,
  history: History,
  on: Queryable,
): Promise<void> {
  const { name, file, checksum } = migration;
  if (direction === 'down') return history.remove(on, name);
  await history.put(on, { name, file, checksum, state: 'applied', statement: 0, failure: null });
}

/** Where a migration that was left half-way goes on. */
function resumeAt({ migration, direction, sql }: Step, row: HistoryRow | undefined): number {
  const isHalfWay = row?.state === (direction === 'up' ? 'applying' : 'reverting');
  if (!row || !isHalfWay || !sql) return 1;
  const { statement, checksum } = row;
  const isSame = checksumOfDone(sql.statements, statement - 1) === checksum;
  if (isSame && statement <= sql.statements.length) return statement;
  throw new MigrationError(
    `${shown(sql.file)} can't go on at statement ${statement}: what stands before it is not what ran. Put the statements before it back as they were.`,
    { code: 'DAL_MIGRATION_CHANGED', migration: migration.name },
  );
}

/** Writes down what failed, if the session still can; without it the line says "was begun". */
async function noteFailure(session: Connection, write: () => Promise<void>): Promise<void> {
  try {
    if (session.inTransaction) await session.rollback();
    await write();
  } catch {
    // The failure itself is thrown; that it could not be written down adds nothing to it.
  }
}

/** Statements that any engine can undo, also where DDL commits. */
const UNDOABLE = new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'SELECT', 'WITH', 'VALUES']);

function canBeUndone({ statements }: SqlPart, dialect: Dialect): boolean {
  if (dialect.transaction === null) return false;
  return !dialect.ddlCommits || statements.every(({ words }) => UNDOABLE.has(words[0]));
}

const OWN_TRANSACTION = new Set(['BEGIN', 'START', 'COMMIT', 'END', 'ROLLBACK', 'ABORT']);

function refuseOwnTransaction({ file, statements }: SqlPart, { name }: Migration): void {
  const own = statements.find(
    ({ words: [first, second] }) =>
      OWN_TRANSACTION.has(first) && !(first === 'ROLLBACK' && second === 'TO'),
  );
  if (!own) return;
  throw new MigrationError(
    `${shown(file)}, line ${own.line}: ${own.words[0]} in a migration that runs in a transaction anyway. Take it out, or begin the file with "-- dal: no transaction" if it has to keep its own. Nothing was run.`,
    { code: 'DAL_MIGRATION_FILES', migration: name },
  );
}

function noWayBack({ name, file }: Migration): MigrationError {
  return new MigrationError(
    `${shown(file)} has no part that runs down. Write one behind "-- migrate:down", or a .down.sql beside it. Nothing was run.`,
    { code: 'DAL_MIGRATION_NO_DOWN', migration: name },
  );
}

function leftOpen(): Error {
  return new Error('the file leaves a transaction open; its end needs a COMMIT');
}

function placeOf({ sql }: Step, { statement }: Place): string {
  return sql && statement > 0 ? describeStatement(sql.statements, statement) : 'it';
}

/** Goes into the database: kind and code, for a server's own words may hold values. */
function describe(error: unknown): string {
  if (!isDalError(error)) return error instanceof Error ? error.name : 'unknown';
  return [error.kind, error.fault?.code].filter(Boolean).join(' ');
}

function piecemealAdvice({ sql, direction, migration }: Step, safe: number): string {
  const done = safe > 1 ? `What stands before statement ${safe} is done and stays. ` : '';
  const why = sql?.transaction === false ? '' : 'This engine commits each statement by itself. ';
  return `${why}${done}Repair the cause, then "dal-migrate ${direction} --resume"; see also "dal-migrate resolve ${migration.name}".`;
}

function failed(step: Step, at: Place, error: unknown, advice: string): Error {
  if (error instanceof MigrationError) return error;
  const { migration, direction, sql } = step;
  // The place says already which statement it was.
  const words = (error instanceof Error ? error.message : String(error)).replace(
    /\.? Statement: [^]*$|\.$/,
    '',
  );
  const known: DalError | undefined = isDalError(error) ? error : undefined;
  const isUnknown =
    known?.fault?.applied === 'unknown' || known?.code === 'DAL_COMMIT_OUTCOME_UNKNOWN';
  const unsure = isUnknown ? ' Whether it took effect is not known.' : '';
  const hint = /(?:inside|within|from within) a transaction/i.test(words)
    ? ' A file with such a statement begins with "-- dal: no transaction".'
    : '';
  const place = sql ? `${placeOf(step, at)} of ${shown(sql.file)}` : shown(migration.file);
  return new MigrationError(`${place} failed (${direction}): ${words}.${unsure} ${advice}${hint}`, {
    code: 'DAL_MIGRATION_FAILED',
    migration: migration.name,
    cause: error,
    kind: known?.kind ?? 'unknown',
    ...(known?.fault ? { fault: known.fault } : {}),
  });
}
