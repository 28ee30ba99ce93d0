import type { Deadline, DriverVersion } from '@dal/core';
import type { Lease } from '@dal/pool';
import { layerStatement } from './compile-statement.ts';
import { runOnLease } from './run-statement.ts';
import type { Runtime } from './runtime.ts';

/** What the server calls itself, asked with the deadline and the turn of a statement. */
export async function readVersion(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
): Promise<DriverVersion> {
  let version: DriverVersion | undefined;
  await runOnLease(runtime, lease, layerStatement('version'), deadline, async (connection) => {
    version = await connection.version?.();
    return { rows: [], columns: [], affectedRows: 0 };
  });
  const { name } = runtime.driver;
  return (
    version ?? { serverVersion: 'unknown', flavor: name, driver: name, driverVersion: 'unknown' }
  );
}
