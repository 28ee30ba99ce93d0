import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGuardedFolder } from './guarded-folder.ts';
import { startLocalServer } from './local-server.ts';
import { asFlags, postgresOrigin, postgresState } from './postgres-server.ts';
import { signal } from './processes.ts';
import { giveTo, serverUser } from './server-user.ts';
import type { Server } from './server.ts';
import { copyFolder } from './template.ts';

/** A PostgreSQL that follows another one. */
export interface Replica extends Server {
  /** Makes it a primary. Comes back when it takes writes. */
  promote(): Promise<void>;
}

const PROMOTE_TIMEOUT_MS = 20_000;

/**
 * Starts a streaming standby of a PostgreSQL that {@link startServer} has started as a process. The
 * primary is stopped for a moment while its files are copied.
 *
 * @param name what it is called in `synchronous_standby_names` and `pg_stat_replication`
 * @example
 * await using primary = await startServer('postgres', { own: true });
 * await using replica = await startReplica(primary, 'second');
 * await primary.kill();
 * await replica.promote();
 */
export async function startReplica(primary: Server, name = 'replica'): Promise<Replica> {
  const origin = postgresOrigin(primary);
  if (!origin)
    throw new Error('Only a PostgreSQL that was started as a process can have replicas.');
  const { postgres, settings } = origin;
  const runAs = serverUser();
  const folder = createGuardedFolder('postgres');
  const data = join(folder.path, 'data');
  try {
    await primary.stop();
    await copyFolder(origin.data, data);
    await primary.start();
    await rm(join(data, 'postmaster.opts'), { force: true });
    await writeFile(join(data, 'standby.signal'), '');
    await giveTo(runAs, folder.path);
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const { host, port, user, password } = primary;
  const own = {
    ...settings,
    unix_socket_directories: folder.path,
    primary_conninfo: `host=${host} port=${port} user=${user} password=${password} application_name=${name}`,
    recovery_target_timeline: 'latest',
    // What waits for a standby must not wait for one of its own.
    synchronous_standby_names: '',
  };
  const server = await startLocalServer({
    kind: 'postgres',
    version: primary.version,
    via: primary.via,
    folder,
    password,
    tls: primary.tls,
    runAs,
    user,
    database: primary.database,
    stopSignal: 'SIGINT',
    command: (at) => ({ file: postgres, args: ['-D', data, ...asFlags({ ...own, port: at })] }),
    isReady: (_port, pid) => /^(?:ready|standby)$/.test(postgresState(data, pid) ?? ''),
  });
  return Object.assign(server, { promote: () => promote(server, data) });
}

/** As `pg_ctl promote` does, which not every package of PostgreSQL brings along. */
async function promote({ pid }: Server, data: string): Promise<void> {
  if (pid === undefined) throw new Error('The replica does not run: nothing to promote.');
  const file = join(data, 'promote');
  await writeFile(file, '');
  await giveTo(serverUser(), file);
  signal(pid, 'SIGUSR1');
  const deadline = performance.now() + PROMOTE_TIMEOUT_MS;
  while (postgresState(data, pid) !== 'ready') {
    if (performance.now() > deadline) throw new Error('The replica was not promoted in time.');
    await sleep(5);
  }
}
