import { connect } from 'node:net';

/**
 * Connects to a MySQL or MariaDB server and reads its first packet.
 *
 * @returns the version that the server names (`9.7.4`, `11.8.9-MariaDB`), or `undefined` when
 *   nobody greets within `timeoutMs`
 */
export function mysqlGreeting(
  host: string,
  port: number,
  timeoutMs = 1_000,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let received: Buffer = Buffer.alloc(0);
    const finish = (version?: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(version);
    };
    const timer = setTimeout(finish, timeoutMs);
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      // Three bytes length, one byte number, protocol 10, then the version up to a zero.
      const end = received.indexOf(0, 5);
      if (received.length > 5 && received[4] !== 10) finish();
      // MariaDB used to put 5.5.5- before its version, for old replicas.
      else if (end > 0) finish(received.toString('latin1', 5, end).replace(/^5\.5\.5-/, ''));
    });
  });
}
