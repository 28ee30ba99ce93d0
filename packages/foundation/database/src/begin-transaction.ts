import {
  type BeginOptions,
  ConfigError,
  type Deadline,
  type Dialect,
  type DriverConnection,
  TransactionError,
} from '@dal/core';
import { type Lease, statusOf } from '@dal/pool';
import { layerStatement } from './compile-statement.ts';
import { runOnLease } from './run-statement.ts';
import type { Runtime } from './runtime.ts';

/** Opens a transaction on a lent connection, by the driver's call or the dialect's words. */
export async function beginTransaction(
  runtime: Runtime,
  lease: Lease,
  how: BeginOptions,
  deadline: Deadline,
): Promise<void> {
  const { dialect } = runtime.driver;
  const { connection } = lease.session;
  checkHow(dialect, how);
  if (connection.begin) await viaDriver(runtime, lease, deadline, 'BEGIN', (c) => c.begin?.(how));
  else for (const text of words(dialect).begin(how)) await runWord(runtime, lease, text, deadline);
  lease.session.followed = 'transaction';
}

/** @returns the server's word for what it did, where it says so: `COMMIT`, or `ROLLBACK` instead */
export async function commitTransaction(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
): Promise<string | undefined> {
  const { connection } = lease.session;
  let command: string | undefined;
  if (connection.commit) await viaDriver(runtime, lease, deadline, 'COMMIT', (c) => c.commit?.());
  else command = await runWord(runtime, lease, words(runtime.driver.dialect).commit, deadline);
  lease.session.followed = 'idle';
  return command;
}

export async function rollbackTransaction(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
): Promise<void> {
  const { connection } = lease.session;
  if (connection.status && statusOf(lease.session) === 'idle') return;
  if (connection.rollback) {
    await viaDriver(runtime, lease, deadline, 'ROLLBACK', (c) => c.rollback?.());
  } else await runWord(runtime, lease, words(runtime.driver.dialect).rollback, deadline);
  lease.session.followed = 'idle';
}

/** Runs work inside a savepoint; what it did is undone when it throws. */
export async function withSavepoint<T>(
  runtime: Runtime,
  lease: Lease,
  name: string,
  deadline: Deadline,
  work: () => Promise<T>,
): Promise<T> {
  const { savepoint, rollbackTo, release } = words(runtime.driver.dialect);
  if (!savepoint || !rollbackTo) {
    throw new TransactionError(
      `${runtime.driver.name} has no savepoints, so a transaction inside a transaction can't be undone alone.`,
      { kind: 'usage', code: 'DAL_NO_SAVEPOINTS' },
    );
  }
  await runWord(runtime, lease, savepoint(name), deadline);
  try {
    const result = await work();
    if (release) await runWord(runtime, lease, release(name), deadline);
    return result;
  } catch (error) {
    // Where the whole transaction is gone there is nothing to go back to.
    if (!lease.session.lost && statusOf(lease.session) !== 'idle') {
      await runWord(runtime, lease, rollbackTo(name), deadline);
      if (release) await runWord(runtime, lease, release(name), deadline);
    }
    throw error;
  }
}

async function runWord(
  runtime: Runtime,
  lease: Lease,
  text: string,
  deadline: Deadline,
): Promise<string | undefined> {
  return (await runOnLease(runtime, lease, layerStatement(text), deadline)).command;
}

/** A driver's own call, with the same turn, deadline and judgement as a statement. */
async function viaDriver(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
  name: string,
  call: (connection: DriverConnection) => Promise<void> | undefined,
): Promise<void> {
  await runOnLease(runtime, lease, layerStatement(name), deadline, async (connection) => {
    await call(connection);
    return { rows: [], columns: [], affectedRows: 0, command: name };
  });
}

function words(dialect: Dialect): NonNullable<Dialect['transaction']> {
  if (dialect.transaction) return dialect.transaction;
  throw new TransactionError(`${dialect.name} has no words for transactions.`, {
    kind: 'usage',
    code: 'DAL_NO_TRANSACTIONS',
  });
}

function checkHow(dialect: Dialect, { isolation }: BeginOptions): void {
  if (isolation === undefined || dialect.isolations.includes(isolation)) return;
  throw new ConfigError(
    `Isolation "${isolation.slice(0, 40)}" is not one of ${dialect.name}'s: ${dialect.isolations.join(', ')}.`,
    { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
  );
}
