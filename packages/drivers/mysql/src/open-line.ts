import { connect } from 'node:net';
import { abortError, ConfigError, onAbort, type TlsSettings, tlsAttempts } from '@dal/core';
import { noteError } from './error-notes.ts';
import { type Flavor, flavorFromGreeting } from './flavor.ts';
import { type Handshake, Line } from './line.ts';
import type { MysqlOptions } from './mysql-options.ts';
import { refuseFile } from './refuse-file.ts';

/** A line on which the login has succeeded. */
export interface OpenLine {
  readonly line: Line;
  readonly flavor: Flavor;
  /** The version as the server wrote it. */
  readonly greeting: string;
}

export interface Attempt {
  /** Gets each line before it is open, so that it can be dropped. */
  readonly born?: (line: Line) => void;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects and logs in until `endsAt` (on the clock of `performance.now()`). When it fails its socket
 * is gone, and the error is marked as one of connecting.
 */
export async function openLine(
  options: MysqlOptions,
  endsAt: number,
  how: Attempt = {},
): Promise<OpenLine> {
  if (how.signal?.aborted) throw abortError(how.signal, 'Connecting');
  try {
    const password = await readPassword(options, endsAt, how.signal);
    const attempts =
      options.socketPath === undefined ? tlsAttempts(options.tls, options.host) : [false as const];
    for (const [index, tls] of attempts.entries()) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the second way is for when the first is refused
        return await attempt(options, password, tls, endsAt, how);
      } catch (error) {
        if (index === attempts.length - 1 || !refusesThisWay(error, tls)) throw error;
      }
    }
    throw new ConfigError('mysql.tls allows no way to connect.', { kind: 'usage' });
  } catch (error) {
    if (how.signal?.aborted) throw abortError(how.signal, 'Connecting');
    throw noteError(error, { phase: 'connect' });
  }
}

/** The error for a session that was not ready in time. */
export function connectTimedOut(options: MysqlOptions): Error {
  return noteError(
    Object.assign(
      new Error(`No session within ${options.connectTimeoutMs} ms (TCP, TLS and login together).`),
      { code: 'ETIMEDOUT', syscall: 'connect' },
    ),
    { phase: 'connect' },
  );
}

function attempt(
  options: MysqlOptions,
  password: string | undefined,
  tls: TlsSettings | false,
  endsAt: number,
  { born, signal }: Attempt,
): Promise<OpenLine> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const socket =
      options.socketPath === undefined
        ? connect({
            host: options.host,
            port: options.port,
            noDelay: true,
            keepAlive: true,
            keepAliveInitialDelay: options.keepAliveDelayMs,
          })
        : connect({ path: options.socketPath });
    const line = new Line(socket, lineSettings(options, password, tls), tls, options.host);
    let flavor: Flavor | undefined;
    const timer = setTimeout(
      () => fail(connectTimedOut(options)),
      Math.max(0, endsAt - performance.now()),
    );
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      stopListening();
      line.drop();
      reject(noteError(readable(error, line), { phase: 'connect', flavor }));
    };
    line.onEnd = fail;
    const stopListening = onAbort(signal, () => fail(signal?.reason));
    born?.(line);
    line.once('connect', ({ serverVersion }: Handshake) => {
      clearTimeout(timer);
      stopListening();
      flavor = flavorFromGreeting(serverVersion);
      line.onEnd = () => undefined;
      resolve({ line, flavor, greeting: serverVersion });
    });
  });
}

function lineSettings(
  options: MysqlOptions,
  password: string | undefined,
  tls: TlsSettings | false,
): Record<string, unknown> {
  return {
    // The name that TLS asks for; the socket is made here.
    host: (tls ? tls.servername : undefined) ?? options.host,
    port: options.port,
    user: options.user,
    ...(password === undefined ? {} : { password }),
    ...(options.database === undefined ? {} : { database: options.database }),
    ...(tls ? { ssl: { ...tls, verifyIdentity: false } } : {}),
    ...(options.applicationName === undefined
      ? {}
      : { connectAttributes: { program_name: options.applicationName } }),
    connectTimeout: 0,
    trace: false,
    // FOUND_ROWS stays on: affected rows are those that matched, as on the other engines.
    // IGNORE_SPACE would change the session's sql_mode; LOCAL_FILES lets the server ask for files, of
    // which it never gets one: only LOAD DATA of our own has something to give.
    // The attributes of a query would be told with each execution; there are none.
    flags: [
      ...(options.localInfile ? [] : ['-LOCAL_FILES']),
      '-IGNORE_SPACE',
      '-CLIENT_QUERY_ATTRIBUTES',
      'FOUND_ROWS',
    ],
    infileStreamFactory: refuseFile,
    charset: 'UTF8MB4_UNICODE_CI',
    timezone: 'Z',
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    // For users of the raw connection; ours are kept in session-statements.ts.
    maxPreparedStatements: 100,
    // Values travel in the protocol; no text is ever made of them.
    queryFormat: (sql: string) => sql,
  };
}

async function readPassword(
  options: MysqlOptions,
  endsAt: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (typeof options.password !== 'function') return options.password;
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(connectTimedOut(options)),
    Math.max(0, endsAt - performance.now()),
  );
  const stopListening = onAbort(signal, () => reject(signal?.reason));
  try {
    return await Promise.race([options.password(), givenUp]);
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}

/** True when the other way of talking (plain instead of TLS, or TLS instead of plain) may be welcome. */
function refusesThisWay(error: unknown, tls: TlsSettings | false): boolean {
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  if (tls) return code === 'HANDSHAKE_NO_SSL_SUPPORT';
  // 3159: only secure transport. 1045: the account may REQUIRE SSL, and this is how that is said.
  return errno === 3159 || errno === 1045;
}

function readable(error: unknown, line: Line): unknown {
  if (!(error instanceof Error)) return error;
  const { tlsErrorCode } = line;
  // mysql2 calls every trouble with TLS HANDSHAKE_SSL_ERROR.
  if (tlsErrorCode !== undefined) (error as NodeJS.ErrnoException).code = tlsErrorCode;
  // A name with several addresses fails with an empty message and the reasons inside.
  if (error instanceof AggregateError && error.message === '') {
    error.message = error.errors.map((reason) => (reason as Error).message).join('; ');
  }
  return error;
}
