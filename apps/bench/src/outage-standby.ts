import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { type Server, type ServerOptions, startReplica, startServer } from '@dal/testing/servers';
import type { OutageEngine } from './outage-clients.ts';

/** A server that follows another one, and can take its place without losing what was acknowledged. */
export interface OutageStandby extends AsyncDisposable {
  readonly primary: Server;
  readonly server: Server;
  /** The primary takes no writes any more; comes back when this one does. */
  promote(): Promise<void>;
}

type Settings = NonNullable<ServerOptions['settings']>;

/** How long nobody is the primary, so that it is an outage and not a blink. */
const NOBODY_MS = 500;
const CATCH_UP_SECONDS = 10;

export function startStandby(engine: OutageEngine, settings: Settings): Promise<OutageStandby> {
  return engine === 'postgres' ? followPostgres(settings) : followMysql(engine, settings);
}

/** The primary is killed; what it acknowledged is on the standby, since it commits there too. */
async function followPostgres(settings: Settings): Promise<OutageStandby> {
  await using opened = new AsyncDisposableStack();
  const primary = opened.use(
    await startServer('postgres', {
      own: true,
      settings: { ...settings, synchronous_standby_names: 'standby', wal_keep_size: '256MB' },
    }),
  );
  const server = opened.use(await startReplica(primary, 'standby'));
  const both = opened.move();
  return {
    primary,
    server,
    async promote() {
      await primary.kill();
      await sleep(NOBODY_MS);
      await server.promote();
    },
    [Symbol.asyncDispose]: () => both.disposeAsync(),
  };
}

/** The primary becomes read-only, the standby catches up and is made writable. */
async function followMysql(
  engine: 'mysql' | 'mariadb',
  settings: Settings,
): Promise<OutageStandby> {
  await using opened = new AsyncDisposableStack();
  const start = async (id: number): Promise<Server> =>
    opened.use(
      await startServer(engine, {
        own: true,
        settings: {
          ...settings,
          server_id: id,
          log_bin: 'binlog',
          ...(engine === 'mysql' && { gtid_mode: 'ON', enforce_gtid_consistency: 'ON' }),
        },
      }),
    );
  const primary = await start(1);
  const server = await start(2);
  const words = engine === 'mysql' ? mysqlWords(primary) : mariadbWords(primary);
  await using standbyRoot = openOne(server);
  for (const text of words.follow) await standbyRoot.execute(text);
  await standbyRoot.execute('SET GLOBAL read_only = 1');
  const both = opened.move();
  return {
    primary,
    server,
    async promote() {
      await using old = openOne(primary);
      await using next = openOne(server);
      await old.execute('SET GLOBAL read_only = 1');
      const position = await old.queryValue<string>(words.position);
      await sleep(NOBODY_MS);
      const caughtUp = await next.queryValue(words.await, [position, CATCH_UP_SECONDS]);
      if (Number(caughtUp) !== 0) throw new Error('The standby did not catch up in time.');
      await next.execute(words.stop);
      await next.execute('SET GLOBAL read_only = 0');
    },
    [Symbol.asyncDispose]: () => both.disposeAsync(),
  };
}

interface ReplicationWords {
  readonly follow: readonly string[];
  readonly position: string;
  readonly await: string;
  readonly stop: string;
}

function mysqlWords({ host, port, user, password }: Server): ReplicationWords {
  return {
    follow: [
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '${host}', SOURCE_PORT = ${port}, SOURCE_USER = '${user}', SOURCE_PASSWORD = '${password}', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`,
      'START REPLICA',
    ],
    position: 'SELECT @@GLOBAL.gtid_executed',
    await: 'SELECT WAIT_FOR_EXECUTED_GTID_SET(?, ?)',
    stop: 'STOP REPLICA',
  };
}

function mariadbWords({ host, port, user, password }: Server): ReplicationWords {
  return {
    follow: [
      `CHANGE MASTER TO MASTER_HOST = '${host}', MASTER_PORT = ${port}, MASTER_USER = '${user}', MASTER_PASSWORD = '${password}', MASTER_USE_GTID = slave_pos`,
      'START SLAVE',
    ],
    position: 'SELECT @@GLOBAL.gtid_binlog_pos',
    await: 'SELECT MASTER_GTID_WAIT(?, ?)',
    stop: 'STOP SLAVE',
  };
}

function openOne(server: Server): Database {
  return mysql(server.url, { pool: { max: 1 } });
}
