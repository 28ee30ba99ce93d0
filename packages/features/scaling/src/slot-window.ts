import { Slot } from './slot.ts';

/** The window: 60 slots of 5 s are 5 minutes. */
const WINDOW_SLOTS = 60;
/** What is older is kept by the minute, for the long window of an hour. */
export const MINUTE_SLOTS = 12;
const MINUTES = 55;

/** What happened on a pool in the last hour: slot by slot, then minute by minute. */
export class SlotWindow {
  /** The one that goes on. */
  current: Slot = new Slot();
  readonly #slots: Slot[] = [];
  readonly #minutes: Slot[] = [];
  #minute = new Slot();
  #inMinute = 0;

  /** Ends the slot that goes on. */
  next(): void {
    this.current.seal();
    this.#slots.push(this.current);
    this.current = new Slot();
    if (this.#slots.length <= WINDOW_SLOTS) return;
    this.#minute.add(this.#slots.shift() as Slot);
    if (++this.#inMinute < MINUTE_SLOTS) return;
    this.#minute.seal();
    this.#minutes.push(this.#minute);
    if (this.#minutes.length > MINUTES) this.#minutes.shift();
    this.#minute = new Slot();
    this.#inMinute = 0;
  }

  /** The window, or its last slots only. */
  recent(slots: number = WINDOW_SLOTS): Slot {
    return sumOf(this.#slots.slice(-slots));
  }

  /** What is older than the window. */
  before(): Slot {
    return sumOf([...this.#minutes, this.#minute]);
  }
}

function sumOf(slots: readonly Slot[]): Slot {
  const sum = new Slot();
  for (const slot of slots) sum.add(slot);
  return sum;
}
