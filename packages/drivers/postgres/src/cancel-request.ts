import type { Socket } from 'node:net';
import { ConnectionError } from '@dal/core';
import { type LineTarget, openLine } from './open-line.ts';

/** A server that doesn't close the cancel's line within this time is taken for dead. */
const CANCEL_TIMEOUT_MS = 5_000;
/**
 * In this time a server that is there takes the line and says whether it offers TLS. How long it has the
 * request then is its own affair: PgBouncer keeps it until there is a place.
 */
const SILENCE_MS = 750;

/**
 * Asks the server to stop what the backend runs. Resolves when the server has closed the line of
 * the request: from then on it can't hit a later statement. Closing it from our side instead would
 * lose that proof, and old PgBouncers die of it. Rejects when nothing is heard of the server soon.
 */
export async function requestCancel(
  target: LineTarget,
  { processID, secretKey }: { readonly processID: number; readonly secretKey: number },
  onSocket: (socket: Socket) => void,
): Promise<void> {
  let socket: Socket | undefined;
  let isSent = false;
  const timer = setTimeout(() => socket?.destroy(tooLate(CANCEL_TIMEOUT_MS)), CANCEL_TIMEOUT_MS);
  const silence = setTimeout(() => {
    if (!isSent && socket?.bytesRead === 0) socket.destroy(tooLate(SILENCE_MS));
  }, SILENCE_MS);
  try {
    const { stream } = await openLine(target, (opened) => {
      socket = opened;
      onSocket(opened);
    });
    const closed = closing(stream);
    stream.write(cancelMessage(processID, secretKey));
    isSent = true;
    await closed;
  } finally {
    clearTimeout(timer);
    clearTimeout(silence);
    socket?.destroy();
  }
}

function tooLate(ms: number): ConnectionError {
  return new ConnectionError(`The server did not take the cancel within ${ms} ms.`, {
    kind: 'connection',
    code: 'DAL_CONNECTION',
  });
}

/** PostgreSQL manual, "CancelRequest": length 16, code 80877102, process, key. */
function cancelMessage(processID: number, secretKey: number): Buffer {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(80_877_102, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  return message;
}

function closing(stream: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    stream.once('error', (error: NodeJS.ErrnoException) => {
      // The server closes with our bytes unread in some versions, which arrives as a reset.
      if (error.code !== 'ECONNRESET') failure = error;
    });
    stream.once('close', () => (failure ? reject(failure) : resolve()));
    // Without a reader the server's end would not be noticed.
    stream.resume();
  });
}
