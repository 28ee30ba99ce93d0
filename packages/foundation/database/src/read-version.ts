import type { Deadline, DriverVersion } from '@dal/core';
import type { Lease } from '@dal/pool';
import { askSession } from './ask-session.ts';
import type { Runtime } from './runtime.ts';

/** What the server calls itself, asked with the deadline and the turn of a statement. */
export async function readVersion(
  runtime: Runtime,
  lease: Lease,
  deadline: Deadline,
): Promise<DriverVersion> {
  const version = await askSession(runtime, lease, 'version', deadline, (on) => on.version?.());
  const { name } = runtime.driver;
  return (
    version ?? { serverVersion: 'unknown', flavor: name, driver: name, driverVersion: 'unknown' }
  );
}
