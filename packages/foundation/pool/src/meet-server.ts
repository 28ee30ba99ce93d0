import type { Driver, DriverConnection, ServerRole } from '@dal/core';
import { askRole } from './ask-role.ts';
import { discard, type Found, type KnownServer } from './known-server.ts';

/** A session that was opened, and what its server is, where that was asked. */
export interface Met<Raw> extends Found<Raw> {
  readonly role: ServerRole | undefined;
}

/** Opens a session and asks for the server's role. The server's gate learns whether it is well. */
export async function meetServer<Options, Raw>(
  driver: Driver<Options, Raw>,
  server: KnownServer<Options>,
  asksRole: boolean,
  signal: AbortSignal,
): Promise<Met<Raw>> {
  signal.throwIfAborted();
  const began = performance.now();
  let early: { error: unknown } | undefined;
  let tell = (error: unknown): void => {
    early = { error };
  };
  let connection: DriverConnection<Raw> | undefined;
  try {
    connection = await driver.connect(server.options, (error) => tell(error), signal);
    const role = asksRole ? await askRole(connection, signal) : undefined;
    server.connectMs = performance.now() - began;
    server.gate.served();
    const open = connection;
    return {
      connection: open,
      role,
      handOver: (lost) => {
        tell = lost;
        if (early) lost(early.error);
        return open;
      },
    };
  } catch (error) {
    if (connection) discard(connection);
    if (!signal.aborted && isAway(driver, error)) server.gate.failed(error);
    throw error;
  }
}

/** Nobody is there who could serve; whoever refuses us by name is well. */
export function isAway(driver: Pick<Driver, 'classify'>, error: unknown): boolean {
  const { kind } = driver.classify(error);
  return kind === 'connection' || kind === 'notReady';
}
