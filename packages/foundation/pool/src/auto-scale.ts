export interface ScaleBounds {
  readonly min: number;
  /** What may be open at the most, as of now. */
  readonly max: number;
  /** Grow when this share of the connections, or more, is lent. */
  readonly up: number;
  /** Shrink when this share, or less, is. */
  readonly down: number;
}

/** What was seen at one look. */
export interface ScaleSight {
  readonly lent: number;
  /** Callers without a connection. */
  readonly waiting: number;
}

/** What a decision leaves for the next one. */
export interface ScaleState {
  readonly size: number;
  /** How many were wanted at the last looks, oldest first; {@link QUIET_LOOKS} at the most. */
  readonly seen: readonly number[];
}

/** Between two looks. */
export const LOOK_MS = 250;
/** So many looks in a row must agree before it grows: one peak is no load. */
const RUSH_LOOKS = 2;
/** So many before it shrinks: a pause is no end. */
export const QUIET_LOOKS = 24;

/**
 * How many connections a pool should have after one more look: moves within `min` and `max`.
 *
 * It grows at once while somebody waits, and when `up` was reached twice in a row; it shrinks when the
 * highest of the last 24 looks (6 s) was at `down` or below. It goes to where that load is in the middle
 * between `down` and `up`. So a load that stays does not make it swing.
 */
export function decideSize(state: ScaleState, sight: ScaleSight, bounds: ScaleBounds): ScaleState {
  const { min, max, up, down } = bounds;
  const seen = [...state.seen, sight.lent + sight.waiting].slice(-QUIET_LOOKS);
  const size = clamp(state.size, min, max);
  const fitting = (load: number): number => Math.ceil(load / ((up + down) / 2));

  const rush =
    sight.waiting > 0 ? sight.lent + sight.waiting : Math.min(...seen.slice(-RUSH_LOOKS));
  const isRush = sight.waiting > 0 || seen.length >= RUSH_LOOKS;
  if (isRush && rush >= up * size && size < max) {
    return { size: clamp(Math.max(size + 1, fitting(rush)), min, max), seen };
  }
  const most = Math.max(...seen);
  if (seen.length === QUIET_LOOKS && most <= down * size && size > min) {
    // Begins anew, so that the next step down has its own time.
    return { size: clamp(Math.min(size - 1, fitting(most)), min, max), seen: [] };
  }
  return { size, seen };
}

/** What is looked at and moved. */
export interface Scalable {
  look(): ScaleSight & { readonly max: number };
  setTarget(size: number): unknown;
}

/** Looks at a pool again and again and moves its size, from `min` on. Keeps no process alive. */
export class AutoScale {
  readonly #timer: NodeJS.Timeout;

  constructor(pool: Scalable, { min, up, down }: Omit<ScaleBounds, 'max'>) {
    const least = Math.max(1, min);
    let state: ScaleState = { size: least, seen: [] };
    pool.setTarget(least);
    this.#timer = setInterval(() => {
      const sight = pool.look();
      const next = decideSize(state, sight, { min: least, max: sight.max, up, down });
      if (next.size !== state.size) pool.setTarget(next.size);
      state = next;
    }, LOOK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), Math.max(max, 1));
}
