import {
  type Driver,
  type DriverConnection,
  onAbort,
  type ServerRole,
  type TargetServer,
} from '@dal/core';
import type { Lease } from '../src/lease.ts';
import { Pool } from '../src/pool.ts';
import { readPoolOptions } from '../src/pool-options.ts';
import { giveTurn, takeTurn } from '../src/turns.ts';
import { stillDialect } from './still-dialect.ts';

/** A server without data: what it is, how it behaves now, and what it has seen. */
export class StagedServer {
  readonly name: string;
  role: ServerRole;
  manner: 'answers' | 'silent' | 'refuses' = 'answers';
  /** How long a statement takes. */
  statementMs = 10;
  /** Attempts to connect. */
  knocks = 0;
  /** Questions for its role. */
  asked = 0;
  /** Statements that arrived. */
  statements = 0;
  readonly open: Set<DriverConnection> = new Set();
  /** The most sessions at one moment. */
  most = 0;

  constructor(name: string, role: ServerRole) {
    this.name = name;
    this.role = role;
  }
}

export const PRIMARY: ServerRole = { writable: true, standby: false };
export const STANDBY: ServerRole = { writable: false, standby: true };

export interface ServerStage {
  readonly pool: Pool;
  /** One statement on a session that is lent. */
  run(lease: Lease): Promise<void>;
}

/** A pool over servers that do nothing, in the order in which they are named to it. */
export function serverStage(
  servers: readonly StagedServer[],
  options: Readonly<Record<string, unknown>> = {},
  target: TargetServer = 'read-write',
): ServerStage {
  const driver: Driver<StagedServer | undefined> = {
    name: 'staged',
    schemes: [],
    dialect: stillDialect,
    servers: () => ({
      servers: servers.map((server) => ({ name: server.name, options: server })),
      target,
    }),
    async connect(server, lost, signal) {
      if (!server) throw new Error('Which server?');
      server.knocks++;
      await pass(server, 1, signal);
      const session = connectTo(server);
      void lost;
      return session;
    },
    classify: (error) => ({ kind: error instanceof Refusal ? error.kind : 'unknown' }),
  };
  const pool = new Pool({
    name: 'test',
    driver,
    options: undefined,
    settings: readPoolOptions({ acquireStacks: 'never', ...options }),
  });
  return { pool, run: (lease) => run(pool, lease) };
}

class Refusal extends Error {
  readonly kind: 'connection' | 'readOnly';

  constructor(kind: 'connection' | 'readOnly') {
    super(kind);
    this.kind = kind;
  }
}

function connectTo(server: StagedServer): DriverConnection {
  const end = new AbortController();
  const destroy = (): void => {
    server.open.delete(connection);
    end.abort(new Refusal('connection'));
  };
  const connection: DriverConnection = {
    raw: server,
    async query() {
      server.statements++;
      await pass(server, server.statementMs, end.signal);
      if (!server.role.writable) throw new Refusal('readOnly');
      return { rows: [], columns: [], affectedRows: 1 };
    },
    async role() {
      server.asked++;
      await pass(server, 1, end.signal);
      return server.role;
    },
    async close() {
      await pass(server, 1, end.signal);
      destroy();
    },
    destroy,
  };
  server.open.add(connection);
  server.most = Math.max(server.most, server.open.size);
  return connection;
}

/** Waits for the server's answer; for ever while it is silent, also when it was asked before. */
async function pass(
  server: StagedServer,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cut = Promise.withResolvers<never>();
  const stopListening = onAbort(signal, () => cut.reject(signal?.reason));
  cut.promise.catch(() => undefined);
  try {
    do {
      let timer: NodeJS.Timeout | undefined;
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await Promise.race([
        cut.promise,
        new Promise((resolve) => (timer = setTimeout(resolve, ms))),
      ]).finally(() => clearTimeout(timer));
    } while (server.manner === 'silent');
  } finally {
    stopListening();
  }
  if (server.manner === 'refuses') throw new Refusal('connection');
}

/** As the layer does it: the turn, the statement, what it met, and the loan back. */
async function run(pool: Pool, lease: Lease): Promise<void> {
  const { session } = lease;
  await takeTurn(session);
  try {
    await session.connection.query({ text: 'WRITE', values: [] });
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'readOnly') pool.suspect(session);
    else session.lost ??= error as Error;
    throw error;
  } finally {
    lease.lastUsedAt = performance.now();
    giveTurn(session);
    void pool.release(lease);
  }
}
