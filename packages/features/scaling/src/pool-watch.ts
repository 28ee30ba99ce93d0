import type { AttemptMessage, ConnectMessage, ObservedPool, PoolStats } from '@dal/core';
import type { DigestCounts } from './digest-table.ts';
import type { LoopTime } from './event-loop.ts';
import { SlotWindow } from './slot-window.ts';

/** The slots of an hour: more would change nothing. */
const LONGEST_GAP = 720;

/** One pool, looked at once a slot. Between the looks only attempts and new connections are told. */
export class PoolWatch {
  readonly pool: ObservedPool;
  readonly window: SlotWindow = new SlotWindow();
  /** The server let nobody in, and nobody since. */
  connectFault: { readonly kind: string; readonly slot: number } | undefined;
  /** In which slot the server said that it was full. */
  fullInSlot: number = -Infinity;
  isAway = false;
  /** Slots so far. */
  slot = 0;
  #seen: Look;
  /** What runs now, and how much of its time is counted already. */
  readonly #running = new Map<AttemptMessage, number>();
  /** When the attempt to connect began that has succeeded; of several the last. */
  #reachedAt = -Infinity;

  readonly #slotMs: number;

  constructor(pool: ObservedPool, slotMs: number, now: number) {
    this.pool = pool;
    this.#slotMs = slotMs;
    this.#seen = look(pool, now);
  }

  onAttemptStart(message: AttemptMessage): void {
    this.#running.set(message, 0);
  }

  onAttemptEnd(message: AttemptMessage, counts: DigestCounts): void {
    const { durationMs = 0 } = message;
    const counted = this.#running.get(message) ?? 0;
    this.#running.delete(message);
    this.window.current.addBusy(counts, Math.max(0, durationMs - counted));
    this.window.current.recordAttempt(durationMs);
  }

  onConnect({ error, fault, startedAt }: ConnectMessage): void {
    if (error === undefined) {
      this.#reachedAt = Math.max(this.#reachedAt, startedAt);
      this.connectFault = undefined;
    } else if (fault?.kind === 'overloaded') {
      // A server that is full is there.
      this.fullInSlot = this.slot;
    } else if (startedAt > this.#reachedAt) {
      // One that began earlier was overtaken, and given up for that.
      this.connectFault = { kind: fault?.kind ?? 'unknown', slot: this.slot };
    }
  }

  /** Ends the slot with what the pool has counted since the last look. */
  look(now: number, loop: LoopTime, digestOf: (message: AttemptMessage) => DigestCounts): void {
    const before = this.#seen;
    const seen = look(this.pool, now);
    this.#seen = seen;
    const { current } = this.window;
    const { stats } = seen;
    current.ms = now - before.at;
    current.acquired = stats.acquired - before.stats.acquired;
    current.failed = stats.acquireSaturated - before.stats.acquireSaturated;
    current.lentMs = seen.lentMs - before.lentMs;
    current.limitMs = this.limit * current.ms;
    current.uses = stats.use.count - before.stats.use.count;
    current.useMs = stats.use.sumMs - before.stats.use.sumMs;
    current.waits = stats.wait.counts.map(
      (count, at) => count - (before.stats.wait.counts[at] ?? 0),
    );
    current.loopActiveMs = loop.activeMs;
    current.loopIdleMs = loop.idleMs;
    // What runs for long is a cause before it ends.
    for (const [message, counted] of this.#running) {
      const ranMs = message.durationMs ?? now - message.startedAt;
      current.addBusy(digestOf(message), Math.max(0, ranMs - counted));
      this.#running.set(message, ranMs);
    }
    // Where the program was held up, or asleep, the slots that were missed are empty.
    const missed = Math.round(current.ms / this.#slotMs) - 1;
    for (let left = Math.min(missed, LONGEST_GAP); left >= 0; left--) this.#next();
    if (missed < 0) this.#next();
  }

  #next(): void {
    this.window.next();
    this.slot++;
  }

  /** How many connections there may be. */
  get limit(): number {
    return this.#seen.stats.max + this.pool.view.settings.overflow;
  }

  get waitBoundsMs(): readonly number[] {
    return this.#seen.stats.wait.boundsMs;
  }
}

interface Look {
  readonly at: number;
  readonly stats: PoolStats;
  /** Since the pool was opened: every loan's length, those that go on up to now. */
  readonly lentMs: number;
}

function look({ view }: ObservedPool, at: number): Look {
  const stats = view.stats();
  const lentMs = view.holders().reduce((sum, { heldMs }) => sum + heldMs, stats.use.sumMs);
  return { at, stats, lentMs };
}
