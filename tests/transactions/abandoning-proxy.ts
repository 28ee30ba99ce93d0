import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A line that can be lost on the client's side only: the server goes on waiting for the next word. */
export interface AbandoningProxy extends AsyncDisposable {
  through(url: string): string;
  /** Resets the clients. Of what they say last, nothing arrives; their sessions stay open. */
  abandon(): void;
}

export async function startAbandoningProxy(port: number): Promise<AbandoningProxy> {
  const clients = new Set<Socket>();
  const servers = new Set<Socket>();
  const listener = createServer((client) => {
    const server = connect({ host: '127.0.0.1', port });
    clients.add(client);
    servers.add(server);
    client.on('data', (bytes) => clients.has(client) && server.write(bytes));
    server.on('data', (bytes) => clients.has(client) && client.write(bytes));
    client.on('error', () => undefined).on('close', () => clients.delete(client) && server.end());
    server.on('error', () => undefined).on('close', () => client.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    through(url) {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
      return changed.href;
    },
    abandon() {
      for (const client of clients) {
        clients.delete(client);
        client.resetAndDestroy();
      }
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const socket of [...clients, ...servers]) socket.destroy();
      await once(listener, 'close');
    },
  };
}
