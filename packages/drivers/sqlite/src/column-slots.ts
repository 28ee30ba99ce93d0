/** Columns travel once: after that a number stands for them. */
import type { Description } from './description.ts';
import type { WireColumns } from './session-messages.ts';

/** Forms that are remembered; beyond, the oldest number is given to another one. */
const SLOTS = 512;
/** No columns at all. */
const NONE = 0;

/** At the session's end of the line. */
export class ColumnAnnouncer {
  readonly #slots = new Map<number, Description>();
  readonly #numbers = new WeakMap<Description, number>();
  #last = NONE;

  announce(description: Description): WireColumns {
    if (description.names.length === 0) return NONE;
    const known = this.#numbers.get(description);
    if (known !== undefined && this.#slots.get(known) === description) return known;
    const slot = (this.#last % SLOTS) + 1;
    this.#last = slot;
    this.#slots.set(slot, description);
    this.#numbers.set(description, slot);
    return [slot, ...description.names.flatMap((name, at) => [name, description.types[at] ?? ''])];
  }
}

/** At the parent's end: what was made of the columns, by their number. */
export class ColumnSlots<Shape> {
  readonly #shapes = new Map<number, Shape>();
  readonly #make: (names: readonly string[], types: readonly string[]) => Shape;

  constructor(make: (names: readonly string[], types: readonly string[]) => Shape) {
    this.#make = make;
    this.#shapes.set(NONE, make([], []));
  }

  of(columns: WireColumns): Shape {
    if (typeof columns !== 'number') {
      const [slot, ...named] = columns;
      const shape = this.#make(
        named.filter((_, at) => at % 2 === 0),
        named.filter((_, at) => at % 2 === 1),
      );
      this.#shapes.set(slot, shape);
      return shape;
    }
    const shape = this.#shapes.get(columns);
    if (shape === undefined) throw new Error('The session spoke of columns that it never named.');
    return shape;
  }
}
