import type { Socket } from 'node:net';

export type Direction = 'up' | 'down';

/** What a proxy does to the lines that go through it. */
export type ProxyMode =
  /** Delivers everything, what was held back first. */
  | 'pass'
  /** Holds everything back: connections stay open, nothing arrives. */
  | 'stall'
  /** Holds back what the client (`up`) or the server (`down`) sends. */
  | `stall-${Direction}`
  /** Swallows what the client or the server sends; it never arrives. */
  | `drop-${Direction}`
  /**
   * Delivers that many bytes more in one direction. Then the connection is reset; with `end` only this
   * direction ends, in an orderly way; with `stall` nothing more of it arrives. Default: `reset`.
   */
  | {
      readonly cut: Direction;
      readonly afterBytes: number;
      readonly how?: 'reset' | 'end' | 'stall';
    }
  /** Delivers everything that much later, in both directions. */
  | { readonly latencyMs: number }
  /** Resets new connections at once; those that exist go on. */
  | 'reset-on-accept'
  /** Accepts new connections and never says a word; those that exist go on. */
  | 'accept-silent';

type Item = { readonly bytes: Buffer | 'end'; readonly dueAt: number };

/** One direction of a connection: reads from one socket, writes to the other, in order. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #reset: () => void;
  readonly #queue: Item[] = [];
  #mode: ProxyMode;
  #bytesLeft = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    from: Socket,
    to: Socket,
    direction: Direction,
    mode: ProxyMode,
    onBytes: (count: number) => void,
    reset: () => void,
  ) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#reset = reset;
    this.#mode = mode;
    this.set(mode);
    from.on('data', (bytes: Buffer) => {
      onBytes(bytes.length);
      this.#take(bytes);
    });
    from.on('end', () => this.#take('end'));
    to.on('drain', () => this.#deliver());
  }

  set(mode: ProxyMode): void {
    this.#mode = mode;
    if (typeof mode === 'object' && 'cut' in mode) this.#bytesLeft = mode.afterBytes;
    this.#deliver();
  }

  /** Delivers nothing any more, and leaves no timer. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #take(bytes: Buffer | 'end'): void {
    if (this.#stopped) return;
    if (this.#mode === `drop-${this.#direction}` && bytes !== 'end') return;
    const mode = this.#mode;
    const latencyMs = typeof mode === 'object' && 'latencyMs' in mode ? mode.latencyMs : 0;
    this.#queue.push({ bytes, dueAt: performance.now() + latencyMs });
    this.#deliver();
  }

  // Everything passes through the queue, so that a change of mode never changes the order.
  #deliver(): void {
    clearTimeout(this.#timer);
    for (let item = this.#queue[0]; item !== undefined; item = this.#queue[0]) {
      const waitMs = item.dueAt - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(waitMs));
        return;
      }
      if (this.#isStalled() || this.#to.writableNeedDrain) {
        // The bound of the queue: what has been read already stays, nothing more is read.
        this.#from.pause();
        return;
      }
      this.#queue.shift();
      if (item.bytes === 'end') this.#to.end();
      else if (!this.#write(item.bytes)) return;
    }
    if (!this.#isStalled() && !this.#to.writableNeedDrain) this.#from.resume();
  }

  #cutAt(bytes: Buffer, how: 'reset' | 'end' | 'stall'): void {
    const last = bytes.subarray(0, this.#bytesLeft);
    if (how === 'stall') {
      this.#mode = `stall-${this.#direction}`;
      this.#queue.unshift({ bytes: bytes.subarray(this.#bytesLeft), dueAt: 0 });
      this.#from.pause();
      this.#to.write(last);
      return;
    }
    this.stop();
    if (how === 'end') this.#to.end(last);
    // The last bytes have to leave before the reset, which would overtake them.
    else this.#to.write(last, () => setImmediate(this.#reset));
  }

  #isStalled(): boolean {
    return this.#mode === 'stall' || this.#mode === `stall-${this.#direction}`;
  }

  // Answers false when that was the end of the connection.
  #write(bytes: Buffer): boolean {
    if (this.#to.destroyed || this.#to.writableEnded) return true;
    const mode = this.#mode;
    if (typeof mode === 'object' && 'cut' in mode && mode.cut === this.#direction) {
      if (bytes.length >= this.#bytesLeft) {
        this.#cutAt(bytes, mode.how ?? 'reset');
        return false;
      }
      this.#bytesLeft -= bytes.length;
    }
    this.#to.write(bytes);
    return true;
  }
}
