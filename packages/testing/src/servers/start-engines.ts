import { join } from 'node:path';
import { createGuardedFolder } from './guarded-folder.ts';
import type { ServerKind, ServerSource } from './server.ts';
import { startServer } from './start-server.ts';

/** A database that tests may use. Plain data: it can be sent to other processes. */
export interface Engine {
  name: ServerKind | 'sqlite';
  url: string;
  /** Such as `'18.4'`. SQLite is part of its driver, so it says `'bundled'`. */
  version: string;
  /** Where it came from; `'file'` for SQLite. */
  via: ServerSource | 'file';
  /** Process id of a server that was started here. */
  pid?: number;
}

export interface StartedEngines {
  readonly engines: Engine[];
  /** Ends all servers and removes their files. */
  stop(): Promise<void>;
}

const NAMES: readonly Engine['name'][] = ['postgres', 'mysql', 'mariadb', 'sqlite'];

/**
 * Starts every engine that DAL supports, all at the same time. `DAL_TEST_ENGINES=postgres,sqlite`
 * limits them.
 *
 * @throws Error when one of them cannot be started: none is left out silently
 */
export async function startEngines(): Promise<StartedEngines> {
  const started = await Promise.allSettled(wantedNames().map(startEngine));
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((one) => one.stop()));
  };
  const errors = started.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  if (errors.length > 0) {
    await stop();
    throw errors.length === 1
      ? errors[0]!
      : new AggregateError(errors, errors.map((error) => error.message).join('\n'));
  }
  return { engines: running.map((one) => one.engine), stop };
}

function wantedNames(): Engine['name'][] {
  const wanted = (process.env['DAL_TEST_ENGINES'] ?? '').split(',').map((name) => name.trim());
  const names = wanted.filter((name) => name !== '');
  const unknown = names.find((name) => !NAMES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new Error(`DAL_TEST_ENGINES: unknown engine "${unknown}". Known: ${NAMES.join(', ')}.`);
  }
  return NAMES.filter((name) => names.length === 0 || names.includes(name));
}

async function startEngine(
  name: Engine['name'],
): Promise<{ engine: Engine; stop(): Promise<void> }> {
  if (name === 'sqlite') {
    const folder = createGuardedFolder('sqlite');
    const url = `sqlite:${join(folder.path, 'test.db')}`;
    const engine: Engine = { name, url, version: 'bundled', via: 'file' };
    return { engine, stop: () => folder.remove() };
  }
  const server = await startServer(name);
  const { url, version, via, pid } = server;
  const engine: Engine = { name, url, version, via, ...(pid !== undefined && { pid }) };
  return { engine, stop: () => server.close() };
}
