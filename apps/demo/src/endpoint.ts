import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Where the demo answers while it runs: this machine only. */
export interface Endpoint extends AsyncDisposable {
  readonly url: string;
}

/**
 * @param handlers by the beginning of the path; the first that fits answers
 * @throws Error when the port is taken
 */
export async function openEndpoint(
  port: number,
  handlers: Readonly<Record<string, Handler>>,
): Promise<Endpoint> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const found = Object.entries(handlers).find(([start]) => path.startsWith(start))?.[1];
    if (!isFromHere(request)) say(response, 403, 'Ask for 127.0.0.1 or localhost.');
    else if (!found) say(response, 404, 'There is nothing here.');
    else Promise.resolve(found(request, response)).catch(() => say(response, 500, 'That failed.'));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function say(response: ServerResponse, status: number, words: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${words}\n`);
}

/** Neither a page of somebody else, nor a foreign name that leads here. */
function isFromHere({ headers }: IncomingMessage): boolean {
  const name = (headers.host ?? '').replace(/:\d+$/, '');
  const site = headers['sec-fetch-site'];
  const ours = site === undefined || site === 'same-origin' || site === 'none';
  return ours && (name === '127.0.0.1' || name === 'localhost');
}
