import { abortError, onAbort } from '@dal/core';
import { openOrCreate } from './create-database.ts';
import { noteError } from './error-notes.ts';
import { MysqlConnection } from './mysql-connection.ts';
import type { MysqlOptions } from './mysql-options.ts';
import { connectTimedOut } from './open-line.ts';

/** Opens a session in UTC, within `connectTimeoutMs` for everything together. */
export async function openConnection(
  options: MysqlOptions,
  lost: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<MysqlConnection> {
  const endsAt = performance.now() + options.connectTimeoutMs;
  const open = await openOrCreate(options, endsAt, signal);
  const connection = new MysqlConnection(open, options, lost);
  const timer = setTimeout(() => connection.destroy(), Math.max(0, endsAt - performance.now()));
  const stopListening = onAbort(signal, () => connection.destroy());
  try {
    await connection.setUp();
    connection.opened();
    return connection;
  } catch (error) {
    connection.destroy();
    if (signal?.aborted) throw abortError(signal, 'Connecting');
    if (performance.now() >= endsAt) throw connectTimedOut(options);
    throw noteError(error, { phase: 'connect', flavor: open.flavor });
  } finally {
    clearTimeout(timer);
    stopListening();
  }
}
