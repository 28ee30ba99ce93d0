import type { Socket } from 'node:net';
import {
  abortError,
  ConfigError,
  ConnectionError,
  onAbort,
  tlsAttempts,
  type TlsSettings,
} from '@dal/core';
import { type Address, type Line, type LineTarget, NO_TLS, openLine } from './open-line.ts';
import { SessionClient } from './pg-client.ts';
import { markRefusal } from './postgres-faults.ts';
import type { PostgresOptions } from './postgres-options.ts';
import type { PostgresTypes } from './postgres-types.ts';
import { startupParameters } from './startup-parameters.ts';

export interface OpenSession {
  readonly client: SessionClient;
  /** The way to the same server again, for a cancel. */
  readonly target: LineTarget;
  /** From now on the session's errors go there, instead of to whoever was connecting. */
  readonly onError: (listener: (error: unknown) => void) => void;
}

/**
 * Logs in, trying the ways that `tls` allows one after another. Settles within
 * `connectTimeoutMs` by itself, or when the signal is aborted, and leaves no socket behind when it
 * fails.
 */
export async function openSession(
  options: PostgresOptions,
  types: PostgresTypes,
  signal?: AbortSignal,
): Promise<OpenSession> {
  if (signal?.aborted) throw abortError(signal, 'Connecting');
  const sockets = new Set<Socket>();
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const giveUp = (error: Error): void => {
    reject(error);
    for (const socket of sockets) socket.destroy(error);
  };
  const timer = setTimeout(() => giveUp(tooLate(options)), options.connectTimeoutMs);
  const stopListening = onAbort(signal, () =>
    giveUp(abortError(signal as AbortSignal, 'Connecting')),
  );
  try {
    return await Promise.race([tryWays(options, types, sockets), givenUp]);
  } catch (error) {
    for (const socket of sockets) socket.destroy();
    markRefusal(error);
    throw error;
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}

async function tryWays(
  options: PostgresOptions,
  types: PostgresTypes,
  sockets: Set<Socket>,
): Promise<OpenSession> {
  const { host } = options;
  const onSocket = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  let ways = host.startsWith('/') ? [false as const] : tlsAttempts(options.tls, host);
  let refusal: Error | undefined;
  for (;;) {
    const target = lineTarget(options, ways);
    let line: Line | undefined;
    try {
      line = await openLine(target, onSocket);
      return await logIn(options, types, target, line);
    } catch (error) {
      line?.stream.destroy();
      // The first refusal is the true one when the server has no TLS for the second try.
      if (refusal !== undefined && (error as { code?: unknown }).code === NO_TLS) throw refusal;
      const next = line === undefined ? -1 : ways.indexOf(line.way) + 1;
      if (next < 1 || next >= ways.length || !refusesEncryption(error)) throw error;
      refusal = error as Error;
      ways = ways.slice(next);
    }
  }
}

/** `pg_hba.conf` has lines for encrypted and for plain lines; both refuse with this code. */
function refusesEncryption(error: unknown): boolean {
  return (error as { code?: unknown }).code === '28000';
}

function lineTarget(options: PostgresOptions, ways: readonly (false | TlsSettings)[]): LineTarget {
  const { host, port, tlsNegotiation, keepAliveDelayMs } = options;
  const address: Address = host.startsWith('/')
    ? { path: `${host}/.s.PGSQL.${port}` }
    : { host, port };
  return { address, host, ways, tlsNegotiation, keepAliveDelayMs };
}

async function logIn(
  options: PostgresOptions,
  types: PostgresTypes,
  target: LineTarget,
  { stream, way }: Line,
): Promise<OpenSession> {
  const client = new SessionClient(
    {
      host: options.host,
      port: options.port,
      user: options.user,
      database: options.database,
      password: () => askPassword(options),
      ssl: false,
      stream: () => stream,
      enableChannelBinding: way !== false && options.channelBinding !== 'disable',
      types,
    },
    startupParameters(options),
  );
  if (client.connection === undefined) {
    throw new ConfigError('NODE_PG_FORCE_NATIVE is set; this driver needs the JavaScript client.', {
      kind: 'usage',
      code: 'DAL_CONFIG_VALUE',
    });
  }
  adoptLine(stream);
  let bound = false;
  // One listener from the login to the end of the session; only where it leads changes.
  let listener: (error: unknown) => void = ignore;
  client.line.on('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
    bound = mechanisms.includes('SCRAM-SHA-256-PLUS');
  });
  await new Promise<void>((resolve, reject) => {
    listener = reject;
    client.on('error', (error) => listener(error));
    client.connect((error: Error | null | undefined) => (error ? reject(error) : resolve()));
    guardReader(stream);
  });
  if (options.channelBinding === 'require' && !(bound && way !== false)) throw notBound();
  const { remoteAddress, remotePort } = stream;
  return {
    client,
    // A cancel must reach this very server, also when the name leads elsewhere by now.
    target: {
      ...target,
      ways: [way],
      ...(remoteAddress === undefined || remotePort === undefined
        ? {}
        : { address: { host: remoteAddress, port: remotePort } }),
    },
    onError: (next) => {
      listener = next;
    },
  };
}

/** `pg` wants to connect its socket itself; ours is open already, so it is only told so. */
function adoptLine(stream: Socket): void {
  stream.connect = (): Socket => {
    queueMicrotask(() => stream.emit('connect'));
    return stream;
  };
}

/** The reader of `pg` throws at bytes it can't understand; out of a socket that ends the process. */
function guardReader(stream: Socket): void {
  for (const read of stream.listeners('data')) {
    stream.on('data', (bytes) => {
      try {
        read.call(stream, bytes);
      } catch (error) {
        stream.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.off('data', read as (bytes: unknown) => void);
  }
}

async function askPassword({ password }: PostgresOptions): Promise<string> {
  try {
    const value: unknown = typeof password === 'function' ? await password() : password;
    if (typeof value === 'string') return value;
  } catch (cause) {
    throw new ConnectionError('The function for the password failed.', {
      cause,
      code: 'DAL_PASSWORD',
      fault: { kind: 'authentication', connectionLost: true, applied: 'no' },
    });
  }
  throw new ConnectionError(
    typeof password === 'function'
      ? 'The function for the password gave no text.'
      : 'The server asks for a password, and the options have none.',
    {
      code: 'DAL_PASSWORD',
      fault: { kind: 'authentication', connectionLost: true, applied: 'no' },
    },
  );
}

function ignore(): void {
  // Nobody waits yet.
}

function notBound(): ConnectionError {
  return new ConnectionError(
    'channelBinding is "require", but this server did not bind the login to the TLS line.',
    {
      code: 'DAL_CHANNEL_BINDING',
      fault: { kind: 'authentication', connectionLost: true, applied: 'no' },
    },
  );
}

function tooLate({ host, port, connectTimeoutMs }: PostgresOptions): ConnectionError {
  return new ConnectionError(
    `No session with ${host}:${port} within ${connectTimeoutMs} ms (connectTimeoutMs): the server is frozen or overloaded, or a firewall drops the packets.`,
    {
      code: 'DAL_CONNECT_TIMEOUT',
      fault: { kind: 'connection', connectionLost: true, applied: 'no' },
    },
  );
}
