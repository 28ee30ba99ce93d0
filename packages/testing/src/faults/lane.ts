import type { Socket } from 'node:net';
import { HELD } from './kinds/stall.ts';
import { type Delivery, type LaneFault, UNTOUCHED } from './lane-fault.ts';

type Item = { readonly bytes: Buffer | 'end'; readonly dueAt: number };

/** One direction of a connection: reads from one socket, writes to the other, in order. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #reset: () => void;
  readonly #queue: Item[] = [];
  #fault: LaneFault = UNTOUCHED;
  #restsUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(from: Socket, to: Socket, onBytes: (count: number) => void, reset: () => void) {
    this.#from = from;
    this.#to = to;
    this.#reset = reset;
    from.on('data', (bytes: Buffer) => {
      onBytes(bytes.length);
      this.#take(bytes);
    });
    from.on('end', () => this.#take('end'));
    to.on('drain', () => this.#deliver());
  }

  set(fault: LaneFault): void {
    this.#fault = fault;
    this.#restsUntil = 0;
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
    const { loses, delayMs = 0 } = this.#fault;
    if (loses && bytes !== 'end') return;
    this.#queue.push({ bytes, dueAt: performance.now() + delayMs });
    this.#deliver();
  }

  // Everything passes through the queue, so that a change of fault never changes the order.
  #deliver(): void {
    clearTimeout(this.#timer);
    for (let item = this.#queue[0]; item !== undefined; item = this.#queue[0]) {
      if (this.#isFull()) {
        // The bound of the queue: what has been read already stays, nothing more is read.
        this.#from.pause();
        return;
      }
      const waitMs = Math.max(item.dueAt, this.#restsUntil) - performance.now();
      if (waitMs > 0) {
        if (this.#restsUntil > item.dueAt) this.#from.pause();
        this.#timer = setTimeout(() => this.#deliver(), Math.ceil(waitMs));
        return;
      }
      if (item.bytes === 'end' && this.#fault.loses) return;
      this.#queue.shift();
      if (item.bytes === 'end') this.#to.end();
      else if (!this.#write(item.bytes)) return;
    }
    if (!this.#isFull()) this.#from.resume();
  }

  #isFull(): boolean {
    return this.#fault.holds === true || this.#to.writableNeedDrain;
  }

  // Answers false when that was the end of the connection.
  #write(bytes: Buffer): boolean {
    if (this.#to.destroyed || this.#to.writableEnded) return true;
    const delivery = this.#fault.deliver?.(bytes) ?? { now: bytes };
    if (delivery.after === 'reset' || delivery.after === 'end') {
      this.#end(delivery);
      return false;
    }
    const { now, later, restMs = 0 } = delivery;
    if (now.length > 0) this.#to.write(now);
    if (later) this.#queue.unshift({ bytes: later, dueAt: 0 });
    this.#restsUntil = restMs > 0 ? performance.now() + restMs : 0;
    if (delivery.after === 'stall') this.#fault = HELD;
    return true;
  }

  #end({ now, after }: Delivery): void {
    this.stop();
    if (after === 'end') this.#to.end(now);
    // The last bytes have to leave before the reset, which would overtake them.
    else this.#to.write(now, () => setImmediate(this.#reset));
  }
}
