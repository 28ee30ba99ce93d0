import type { Line } from './line.ts';

/** How long a goodbye may take before the socket is dropped. */
const CLOSE_MS = 2_000;

/** Sends COM_QUIT and waits until the server has closed the line; drops it when that takes too long. */
export function goodbye(line: Line): Promise<void> {
  return new Promise((resolve) => {
    if (line.socket.closed) return resolve();
    const timer = setTimeout(() => line.drop(), CLOSE_MS);
    line.socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    if (line.ended) line.drop();
    else line.end();
  });
}
