import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * A TCP port of 127.0.0.1 that is free now. Somebody else may take it before you do, so be ready
 * to ask for another one.
 */
export async function freePort(): Promise<number> {
  const end = firstEphemeralPort();
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(15_000, end);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port found between 15000 and ${end} on 127.0.0.1.`);
}

// Ports above this one are lent to outgoing connections. A server that is down for a moment would
// lose such a port, even to a client that tries to reconnect to it and meets itself.
function firstEphemeralPort(): number {
  try {
    const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'));
    return first > 16_000 ? first : 32_768;
  } catch {
    return 32_768;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => resolve(true));
    });
  });
}
