import type { Database } from '@dal/core';
import { mysql } from '@dal/mysql';
import { postgres } from '@dal/postgres';
import { type Server, startServer } from '@dal/testing/servers';
import type { OutageEngine } from './outage-clients.ts';
import { type OutageStandby, startStandby } from './outage-standby.ts';
import { SessionAdmin } from './session-admin.ts';

/** Where an outage happens: a server of our own with the tables, and maybe another that follows it. */
export interface OutageStage extends AsyncDisposable {
  readonly engine: OutageEngine;
  readonly server: Server;
  readonly admin: SessionAdmin;
  /** Goes to the server that holds the truth afterwards. */
  readonly ledger: Database;
  readonly standby?: OutageStandby;
}

export const OUTAGE_WORDS: readonly string[] = Array.from({ length: 20 }, (_, id) => `word ${id}`);

const SETTINGS = {
  max_connections: 40,
  // All come from one host: who breaks off many handshakes must not lock the others out.
  mysql: { max_connect_errors: 1_000_000 },
} as const;

export async function openOutageStage(
  engine: OutageEngine,
  withStandby: boolean,
): Promise<OutageStage> {
  await using opened = new AsyncDisposableStack();
  const settings = {
    max_connections: SETTINGS.max_connections,
    ...(engine !== 'postgres' && SETTINGS.mysql),
  };
  const standby = withStandby ? opened.use(await startStandby(engine, settings)) : undefined;
  const server = standby?.primary ?? opened.use(await startServer(engine, { own: true, settings }));
  const db = opened.use(openAsRoot(server));
  await layTables(db);
  const admin = new SessionAdmin(server, db);
  await admin.makeUser();
  const ledger = standby ? opened.use(openAsRoot(standby.server)) : db;
  const stage = opened.move();
  return {
    engine,
    server,
    admin,
    ledger,
    ...(standby && { standby }),
    [Symbol.asyncDispose]: () => stage.disposeAsync(),
  };
}

export function openAsRoot(server: Server): Database {
  const options = { pool: { max: 2 }, retry: { maxRetries: 5 } };
  return server.kind === 'postgres' ? postgres(server.url, options) : mysql(server.url, options);
}

async function layTables(db: Database): Promise<void> {
  // Without a key on purpose: a second row of the same request must be able to appear.
  await db.execute(
    'CREATE TABLE outage_ledger (who varchar(10) NOT NULL, op varchar(40) NOT NULL, part int NOT NULL)',
  );
  await db.execute('CREATE TABLE outage_words (id int PRIMARY KEY, word varchar(40) NOT NULL)');
  await db.bulkInsert(
    'outage_words',
    OUTAGE_WORDS.map((word, id) => ({ id, word })),
  );
}
