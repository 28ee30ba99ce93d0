import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { dalAdapter } from '@dal/prisma';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaPg } from '@prisma/adapter-pg';
import type { inject } from 'vitest';
import { generateClient } from './generate-client.ts';
import { type PrismaClient, schemaFor } from './models.ts';

type Engine = ReturnType<typeof inject<'engines'>>[number];

export interface Clients {
  readonly provider: string;
  readonly place: string;
  readonly db: Database;
  /** Over the adapter of the layer. */
  readonly ours: PrismaClient;
  /** Over Prisma's own adapter, with as many connections. */
  readonly own: PrismaClient;
  /** Both once more, over other addresses of the same server; ended with `opened`. */
  over(place: string, options?: DatabaseOptions): Promise<Pick<Clients, 'db' | 'ours' | 'own'>>;
  readonly opened: AsyncDisposableStack;
}

interface Generated {
  readonly PrismaClient: new (options: { readonly adapter: object }) => PrismaClient;
}

interface DatabaseOptions {
  readonly pool?: { readonly max: number; readonly maxWaiting?: number };
  readonly statementTimeoutMs?: number;
}

const CONNECTIONS = 3;

export async function openClients({ name, url }: Engine): Promise<Clients> {
  const opened = new AsyncDisposableStack();
  const place = name === 'sqlite' ? `sqlite:${await ownFile(opened)}` : url;
  const provider = providers[name];
  const client = (await generateClient(schemaFor(provider), opened)) as Generated;
  const over: Clients['over'] = async (there, options) => {
    const db = await createDatabase(there, { pool: { max: CONNECTIONS }, ...options });
    opened.defer(async () => void (await db.close()));
    const ours = new client.PrismaClient({ adapter: dalAdapter(db) });
    const own = new client.PrismaClient({ adapter: ownAdapter(name, there) });
    opened.defer(async () => {
      await Promise.all([ours.$disconnect(), own.$disconnect()]);
    });
    return { db, ours, own };
  };
  return { provider, place, opened, over, ...(await over(place)) };
}

const providers = {
  postgres: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
  sqlite: 'sqlite',
} as const;

async function ownFile(opened: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dal-prisma-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'test.db');
}

function ownAdapter(name: Engine['name'], url: string): object {
  switch (name) {
    case 'postgres':
      return new PrismaPg({ connectionString: url, max: CONNECTIONS });
    case 'sqlite':
      return new PrismaBetterSqlite3({ url: url.slice('sqlite:'.length) });
    default: {
      const { hostname, password, pathname, port, username } = new URL(url);
      return new PrismaMariaDb({
        host: hostname,
        port: Number(port),
        user: username,
        password: decodeURIComponent(password),
        database: pathname.slice(1),
        connectionLimit: CONNECTIONS,
        allowPublicKeyRetrieval: true,
      });
    }
  }
}
