import type { Deadline, DriverConnection } from '@dal/core';
import type { Lease } from '@dal/pool';
import { layerStatement } from './compile-statement.ts';
import { runOnLease } from './run-statement.ts';
import type { Runtime } from './runtime.ts';

/**
 * Asks a session for something that is no statement, with the deadline, the turn and the errors of
 * one; `shown` is what it is called in messages.
 */
export async function askSession<T>(
  runtime: Runtime,
  lease: Lease,
  shown: string,
  deadline: Deadline,
  ask: (connection: DriverConnection) => Promise<T> | undefined,
): Promise<T | undefined> {
  let answer: T | undefined;
  await runOnLease(runtime, lease, layerStatement(shown), deadline, async (connection) => {
    answer = await ask(connection);
    return { rows: [], columns: [], affectedRows: 0 };
  });
  return answer;
}
