import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Limits } from './orders.ts';

export interface ServiceOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** How long a request may take with the database. */
  readonly requestTimeoutMs: number;
}

export interface Service {
  readonly port: number;
  /** Takes no more requests, and waits until those that run are answered. */
  close(): Promise<void>;
}

/**
 * The service of a server that listens, or is about to.
 *
 * @param close how its framework says that it takes no more requests
 */
export async function serviceOf(
  server: Server,
  close: () => unknown = () => server.close(),
): Promise<Service> {
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, close: () => closeServer(server, close) };
}

/**
 * The limits of one request. The end of the response tells whether the client is still there; that of the
 * request would not: it ends when its body has been read.
 */
export function limitsOf(response: ServerResponse, timeoutMs: number): Limits {
  const client = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) client.abort();
  });
  return { timeoutMs, signal: client.signal };
}

async function closeServer(server: Server, close: () => unknown): Promise<void> {
  const closed = once(server, 'close');
  // A connection that is kept alive would stay for seconds after its last answer.
  const timer = setInterval(() => server.closeIdleConnections(), 20);
  await Promise.all([closed, close()]);
  clearInterval(timer);
}
