import { createServer, type Socket } from 'node:net';

/** Accepts, and never says a word. */
export interface SilentServer {
  readonly port: number;
  /** Lines that are open now. */
  readonly open: ReadonlySet<Socket>;
  /** How many there have been. */
  readonly accepted: () => number;
  close(): Promise<void>;
}

export function startSilentServer(): Promise<SilentServer> {
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    open.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => open.delete(socket))
      .resume();
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of open) socket.destroy();
      server.close(() => resolve());
    });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      resolve({ port, open, accepted: () => accepted, close });
    });
  });
}
