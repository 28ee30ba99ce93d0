import {
  type BeginOptions,
  ConfigError,
  type Deadline,
  type Dialect,
  type NativeResult,
  TransactionError,
} from '@dal/core';
import { type Lease, statusOf } from '@dal/pool';
import { layerStatement } from './compile-statement.ts';
import { runOnLease, type StatementCall } from './run-statement.ts';
import type { Runtime } from './runtime.ts';

/** Stands around the sending of a word: may refuse it, and sees its answer. */
export type Around = (send: () => Promise<NativeResult>) => Promise<NativeResult>;

/** Opens a transaction on a lent connection, by the driver's call or the dialect's words. */
export async function beginTransaction(
  runtime: Runtime,
  lease: Lease,
  how: BeginOptions,
  deadline: Deadline,
): Promise<void> {
  const { dialect } = runtime.driver;
  const { session } = lease;
  checkHow(dialect, how);
  const texts = session.connection.begin ? ['BEGIN'] : words(dialect).begin(how);
  session.followed = 'transaction';
  try {
    for (const text of texts) {
      await runWord(runtime, lease, text, deadline, (on, statement) =>
        on.begin ? on.begin(how).then(() => spoken(text)) : on.query(statement),
      );
    }
  } catch (error) {
    // A part of it may have been heard, such as the isolation of the next transaction.
    session.dirty = true;
    throw error;
  }
}

/** Sends COMMIT; its answer has the server's word for what it did: `COMMIT`, or `ROLLBACK` instead. */
export async function commitTransaction(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
  around: Around,
): Promise<NativeResult> {
  const { session } = lease;
  const text = session.connection.commit ? 'COMMIT' : words(runtime.driver.dialect).commit;
  const result = await runWord(runtime, lease, text, deadline, (on, statement) =>
    around(() => (on.commit ? on.commit().then(() => spoken(text)) : on.query(statement))),
  );
  session.followed = 'idle';
  return result;
}

export async function rollbackTransaction(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
): Promise<void> {
  const { session } = lease;
  if (session.connection.status && statusOf(session) === 'idle') return;
  const text = session.connection.rollback ? 'ROLLBACK' : words(runtime.driver.dialect).rollback;
  await runWord(runtime, lease, text, deadline, (on, statement) =>
    on.rollback ? on.rollback().then(() => spoken(text)) : on.query(statement),
  );
  session.followed = 'idle';
}

/** A word of a savepoint: what is sent, and how. */
export interface SavepointStep {
  readonly text: string;
  readonly call: StatementCall;
}

/** How a part of a transaction is begun and undone by itself; some engines need a word at its end. */
export interface Savepoint {
  readonly begin: SavepointStep;
  readonly undo: SavepointStep;
  readonly release: SavepointStep | null;
}

/** @throws TransactionError where the engine has none */
export function savepoint({ driver }: Runtime, lease: Lease, name: string): Savepoint {
  const { connection } = lease.session;
  const { transaction } = driver.dialect;
  const begin = connection.savepoint ? `SAVEPOINT ${name}` : transaction?.savepoint?.(name);
  const undo = connection.rollbackTo ? `ROLLBACK TO ${name}` : transaction?.rollbackTo?.(name);
  const release = connection.savepoint ? undefined : transaction?.release?.(name);
  if (begin !== undefined && undo !== undefined) {
    return {
      begin: {
        text: begin,
        call: (on, statement) =>
          on.savepoint ? on.savepoint(name).then(() => spoken(begin)) : on.query(statement),
      },
      undo: {
        text: undo,
        call: async (on, statement) => {
          const answer = on.rollbackTo
            ? await on.rollbackTo(name).then(() => spoken(undo))
            : await on.query(statement);
          lease.session.followed = 'transaction';
          return answer;
        },
      },
      release:
        release === undefined
          ? null
          : { text: release, call: (on, statement) => on.query(statement) },
    };
  }
  throw new TransactionError(
    `${driver.name} has no savepoints, so a transaction inside a transaction can't be undone alone.`,
    { kind: 'usage', code: 'DAL_NO_SAVEPOINTS' },
  );
}

function runWord(
  runtime: Runtime,
  lease: Lease,
  text: string,
  deadline: Deadline,
  call: StatementCall,
): Promise<NativeResult> {
  // A driver that throws instead of rejecting is no different from others.
  const safely: StatementCall = async (connection, statement) => call(connection, statement);
  return runOnLease(runtime, lease, layerStatement(text), deadline, safely);
}

/** The answer to a driver's own call. */
function spoken(command: string): NativeResult {
  return { rows: [], columns: [], affectedRows: 0, command };
}

function words(dialect: Dialect): NonNullable<Dialect['transaction']> {
  if (dialect.transaction) return dialect.transaction;
  throw new TransactionError(`${dialect.name} has no words for transactions.`, {
    kind: 'usage',
    code: 'DAL_NO_TRANSACTIONS',
  });
}

export function checkHow(dialect: Dialect, { isolation }: BeginOptions): void {
  if (isolation === undefined || dialect.isolations.includes(isolation)) return;
  throw new ConfigError(
    `Isolation "${isolation.slice(0, 40)}" is not one of ${dialect.name}'s: ${dialect.isolations.join(', ')}.`,
    { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
  );
}
