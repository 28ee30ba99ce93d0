import type { Socket } from 'node:net';

/**
 * Resets a connection now. Node's `resetAndDestroy` sends an end first and waits until what was written
 * has left; when the other end is gone in that moment, it waits for ever and the handle stays open.
 */
export function resetSocket(socket: Socket & { resetAndClosing?: boolean }): void {
  if (socket.destroyed) return;
  // What has said its end can't be reset any more: the system refuses, and nothing would be closed.
  if (!socket.writableEnded && !socket.connecting) socket.resetAndClosing = true;
  socket.destroy();
}
