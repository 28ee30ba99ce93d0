import { connect } from 'node:net';

/**
 * Whether a PostgreSQL server lets clients log in: it answers the first message with a question for
 * the password. While it starts, stops or recovers it answers with an error instead.
 */
export function postgresGreeting(
  { host, port, user, database }: { host: string; port: number; user: string; database: string },
  timeoutMs = 1_000,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answer: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(finish, timeoutMs, false);
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('data', (bytes: Buffer) => finish(bytes[0] === 'R'.charCodeAt(0)));
    socket.write(startupMessage({ user, database }));
  });
}

// Length (itself included), protocol 3.0, then names and values, each ended by a zero.
function startupMessage(parameters: Record<string, string>): Buffer {
  const text = `${Object.entries(parameters).flat().join('\0')}\0\0`;
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(0x0003_0000, 4);
  return Buffer.concat([head, body]);
}
