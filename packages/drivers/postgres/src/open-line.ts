import { connect as connectSocket, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { ConnectionError, type TlsSettings } from '@dal/core';

/** Where a line goes, and how it may be encrypted. */
export interface LineTarget {
  readonly address: Address;
  /** The name that the server's certificate must carry. */
  readonly host: string;
  /** Ways to talk, in order; `false` is plain. The server's "no TLS here" leads to the next. */
  readonly ways: readonly (false | TlsSettings)[];
  readonly tlsNegotiation: 'postgres' | 'direct';
  readonly keepAliveDelayMs: number;
}

export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

export interface Line {
  readonly stream: Socket;
  /** Which of the ways it took. */
  readonly way: false | TlsSettings;
}

/** PostgreSQL manual, "SSLRequest": length 8, code 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Opens a line to the server, encrypted where asked, ready for the first message.
 *
 * `onSocket` gets the socket at its birth: destroying it makes this reject, whatever it waits for.
 */
export async function openLine(
  target: LineTarget,
  onSocket: (socket: Socket) => void,
): Promise<Line> {
  const socket = connectSocket({
    ...target.address,
    noDelay: true,
    keepAlive: target.keepAliveDelayMs > 0,
    keepAliveInitialDelay: target.keepAliveDelayMs,
  } as TcpNetConnectOpts);
  // From birth to death, so that no error of this socket is ever without a listener.
  socket.on('error', ignore);
  onSocket(socket);
  await arrival(socket, 'connect');
  const way = target.ways[0] ?? false;
  if (way === false) return { stream: socket, way };
  if (target.tlsNegotiation === 'postgres' && !(await offersTls(socket))) {
    if (target.ways[1] === false) return { stream: socket, way: false };
    socket.destroy();
    throw new ConnectionError(
      'The server does not offer TLS, but the option tls asks for it. Switch TLS on in the server, or use tls: "prefer" where the network can be trusted.',
      {
        code: NO_TLS,
        fault: { kind: 'authentication', connectionLost: true, applied: 'no' },
      },
    );
  }
  return { stream: await encrypt(socket, way, target), way };
}

/** The code of the error for a server without TLS. */
export const NO_TLS = 'DAL_TLS_NOT_OFFERED';

async function offersTls(socket: Socket): Promise<boolean> {
  socket.write(SSL_REQUEST);
  const answer = (await arrival(socket, 'data')) as Buffer;
  // More than one byte would be text that somebody slipped in before the encryption (CVE-2021-23222).
  if (answer.length === 1 && answer[0] === 0x53) return true;
  if (answer.length === 1 && answer[0] === 0x4e) return false;
  socket.destroy();
  throw new ConnectionError(
    'What answers at this address does not speak the protocol of PostgreSQL, or is about to stop.',
    {
      code: 'DAL_CONNECTION',
      fault: { kind: 'connection', connectionLost: true, applied: 'no' },
    },
  );
}

async function encrypt(socket: Socket, way: TlsSettings, target: LineTarget): Promise<Socket> {
  const secure = connectTls({
    ...way,
    socket,
    host: target.host,
    // A server refuses direct TLS from a client that doesn't name the protocol.
    ...(target.tlsNegotiation === 'direct' ? { ALPNProtocols: ['postgresql'] } : {}),
  } as ConnectionOptions);
  secure.on('error', ignore);
  try {
    await arrival(secure, 'secureConnect');
  } catch (error) {
    secure.destroy();
    socket.destroy();
    throw error;
  }
  return secure;
}

/** Resolves at the event; rejects when the line fails or ends first. */
function arrival(socket: Socket, event: 'connect' | 'data' | 'secureConnect'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      act();
    };
    const onEvent = (value?: unknown): void => settle(() => resolve(value));
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void =>
      onError(
        new ConnectionError('The server closed the line while it was being set up.', {
          code: 'DAL_CONNECTION',
          fault: { kind: 'connection', connectionLost: true, applied: 'no' },
        }),
      );
    socket.on(event, onEvent).on('error', onError).on('close', onClose);
  });
}

function ignore(): void {
  // Whoever waits for the line has a listener of its own.
}
