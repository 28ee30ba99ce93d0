import { type Duplex, duplexPair } from 'node:stream';
import { createConnection, createPool, type PoolConnection } from 'mysql2';
import type { PoolConnection as PromisePoolConnection } from 'mysql2/promise';
import type { CheckoutContender } from './checkout-contenders.ts';

/** With callbacks, which become a promise here, as everybody else's caller waits for one. */
export function mysql2Pool(connectionLimit: number): CheckoutContender<PoolConnection> {
  const { stream, close } = stillMysqlServers();
  const pool = createPool({ connectionLimit, stream });
  return {
    name: 'mysql2',
    side: 'rival',
    acquire: () =>
      new Promise((resolve, reject) => {
        pool.getConnection((error, connection) => {
          if (error) reject(error);
          else resolve(connection);
        });
      }),
    release: (connection) => connection.release(),
    close,
  };
}

/** With its own promises, as most programs have it. */
export function mysql2PromisePool(
  connectionLimit: number,
): CheckoutContender<PromisePoolConnection> {
  const { stream, close } = stillMysqlServers();
  const pool = createPool({ connectionLimit, stream }).promise();
  return {
    name: 'mysql2/promise',
    side: 'rival',
    acquire: () => pool.getConnection(),
    release: (connection) => connection.release(),
    close,
  };
}

/** Their connections shake hands with this process and are never used after that. */
function stillMysqlServers(): { stream(): Duplex; close(): Promise<void> } {
  const lines: Duplex[] = [];
  return {
    stream() {
      const line = stillMysqlServer();
      lines.push(line);
      return line;
    },
    // A pool's goodbye would be a word too many for the server below.
    close() {
      for (const line of lines) line.destroy();
      return Promise.resolve();
    },
  };
}

function stillMysqlServer(): Duplex {
  const [client, server] = duplexPair();
  const connection = createConnection({ stream: server, isServer: true } as object) as unknown as {
    serverHandshake(greeting: object): void;
    on(event: string, listener: () => void): void;
  };
  connection.on('error', () => undefined);
  connection.serverHandshake({
    protocolVersion: 10,
    serverVersion: '8.0.0',
    connectionId: 1,
    statusFlags: 2,
    characterSet: 45,
    capabilityFlags: 0xff_f7_ff,
  });
  return client;
}
