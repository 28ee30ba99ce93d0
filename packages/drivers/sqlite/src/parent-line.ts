/** A session's process speaks to its parent: it waits in a blocking read, so nothing lies between. */
import { readSync, writeSync } from 'node:fs';
import { FrameReader, writeFrame } from './frames.ts';
import type { Order, Reply } from './session-messages.ts';

/** The place behind stdin, stdout and stderr, as `ProcessLine` opens it. */
const LINE = 3;
const PIECE = 65_536;
const reader = new FrameReader();
const clock = new Int32Array(new SharedArrayBuffer(4));

/** The next order; undefined when the parent has gone or closed the line. */
export function readOrder(): Order | undefined {
  for (;;) {
    const order = reader.next();
    if (order !== undefined) return order[0] as Order;
    // Not used again: bytes of a message may be views of it.
    const piece = Buffer.allocUnsafe(Math.max(PIECE, reader.missing));
    const count = attempt(() => readSync(LINE, piece, 0, piece.length, null));
    if (count === 0) return undefined;
    reader.add(piece.subarray(0, count));
  }
}

/** False when there is nobody left to read it. */
export function writeReply(reply: Reply): boolean {
  const frame = writeFrame(reply);
  for (let sent = 0; sent < frame.length;) {
    const count = attempt(() => writeSync(LINE, frame, sent));
    if (count === 0) return false;
    sent += count;
  }
  return true;
}

/** The number of bytes; 0 at the end of the line, however the system names it. */
function attempt(work: () => number): number {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return 0;
      // Where the system gave us a line that does not wait.
      Atomics.wait(clock, 0, 0, 1);
    }
  }
}
