import {
  ConfigError,
  ConnectionError,
  type DriverConnection,
  onAbort,
  type ServerRole,
  within,
} from '@dal/core';

const ROLE_TIMEOUT_MS = 2_000;

/** What the server of a new session, or of one that rests, is now. */
export async function askRole(
  connection: DriverConnection,
  signal?: AbortSignal,
): Promise<ServerRole> {
  if (!connection.role) {
    throw new ConfigError(
      'This driver can not tell primaries from standbys, so targetSessionAttrs can only be "any".',
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  let role: ServerRole | undefined;
  let failure: Error | undefined;
  const asked = connection.role().then(
    (answer) => {
      role = answer;
    },
    (error: unknown) => {
      failure = error instanceof Error ? error : new Error(String(error));
    },
  );
  const givenUp = Promise.withResolvers<void>();
  const stopListening = onAbort(signal, givenUp.resolve);
  await within(ROLE_TIMEOUT_MS, Promise.race([asked, givenUp.promise]));
  stopListening();
  if (role) return role;
  if (failure) throw failure;
  if (signal?.aborted) throw signal.reason;
  throw new ConnectionError(`The server did not say its role within ${ROLE_TIMEOUT_MS} ms.`, {
    code: 'DAL_CONNECT_TIMEOUT',
    fault: { kind: 'connection', connectionLost: true, applied: 'no' },
  });
}
