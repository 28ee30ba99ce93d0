/** The way to one server: who may knock, and when. */
export interface GateOutage {
  /** On the clock of `performance.now()`. */
  readonly since: number;
  readonly attempts: number;
  /** What the last attempt failed of, as the driver threw it. */
  readonly error: unknown;
}

/** The shortest pause between two attempts, so that there are never more than ten in a second. */
const FIRST_PAUSE_MS = 100;
/** Whoever waits is served this long after the server's return at the latest, and a connect. */
const LONGEST_PAUSE_MS = 240;
const GROWTH = 1.4;
/** So many connects in flight prove that the server bears them; there is no limit from then on. */
const ENOUGH = 16;
/** A session that ends this soon was no proof of health. */
const YOUNG_MS = 1_000;

/**
 * Lets connects through as they come while all is well. While the server does not answer, one at a
 * time, with a pause between them that grows and is never the same; after its return one, then two,
 * then four, so that it is not met by everybody at once.
 */
export class Gate {
  #limit = Infinity;
  #inside = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #notBefore = 0;
  #carefulSince = 0;
  #outage: { since: number; attempts: number; error: unknown } | undefined;
  readonly #outside = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /** Set from the first attempt that failed until one succeeds. */
  get outage(): GateOutage | undefined {
    return this.#outage;
  }

  /** True while the next attempt has to wait. */
  get pauses(): boolean {
    return performance.now() < this.#notBefore;
  }

  /**
   * True: go, and say `leave` afterwards. False: `wake` is called once, when it is worth while to ask
   * again; who asked first is woken first.
   */
  enter(wake: () => void): boolean {
    if (this.#inside < this.#limit && !this.pauses) {
      this.#inside++;
      return true;
    }
    this.#outside.add(wake);
    this.#arm();
    return false;
  }

  /** Gives back what `enter` took. `undefined` says nothing about the server. */
  leave(outcome: 'served' | { readonly failure: unknown } | undefined): void {
    this.#inside--;
    if (outcome === 'served') this.served();
    else if (outcome) this.failed(outcome.failure);
    this.#wakeAll();
  }

  /** One that left as failed, because nothing was heard of it, is inside again until it really leaves. */
  reenter(): void {
    this.#inside++;
  }

  /** The server has answered. */
  served(): void {
    this.#outage = undefined;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#notBefore = 0;
    this.#limit = this.#limit * 2 > ENOUGH ? Infinity : this.#limit * 2;
    this.#wakeAll();
  }

  failed(error: unknown): void {
    const outage = (this.#outage ??= { since: performance.now(), attempts: 0, error });
    outage.attempts++;
    outage.error = error;
    if (this.#limit === Infinity) this.#carefulSince = performance.now();
    this.#limit = 1;
    // Those that left together count as one.
    if (this.pauses) return;
    this.#notBefore = performance.now() + FIRST_PAUSE_MS + this.#extraPause();
    this.#pauseMs = Math.min(this.#pauseMs * GROWTH, LONGEST_PAUSE_MS);
  }

  /** A session ended by itself: the next ones are opened with care. */
  lost(ageMs: number, error: unknown): void {
    const now = performance.now();
    if (this.#limit === Infinity) {
      this.#limit = 1;
      this.#carefulSince = now;
    } else if (ageMs < YOUNG_MS && now - ageMs > this.#carefulSince && !this.#outage) {
      // A server that lets everybody in and throws them out again would be knocked at without end.
      this.failed(error);
    }
  }

  /** Nobody is woken by this call any more. */
  forget(wake: () => void): void {
    this.#outside.delete(wake);
    if (this.#outside.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #extraPause(): number {
    return Math.random() * (this.#pauseMs - FIRST_PAUSE_MS) + Math.random() * 10;
  }

  /** Only while somebody waits; it keeps the process alive, as whoever waits expects. */
  #arm(): void {
    if (this.#timer || !this.pauses) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#wakeAll();
      },
      Math.max(1, Math.ceil(this.#notBefore - performance.now())),
    );
  }

  #wakeAll(): void {
    if (this.#outside.size === 0) return;
    if (this.pauses) {
      this.#arm();
      return;
    }
    const waiting = [...this.#outside];
    this.#outside.clear();
    for (const wake of waiting) wake();
  }
}

interface Shared {
  readonly gate: Gate;
  users: number;
}

const shared = new Map<string, Shared>();

/** The gate to a server, the same for all pools of this process; to be given back. */
export function borrowGate(server: string): Gate {
  let entry = shared.get(server);
  if (!entry) {
    entry = { gate: new Gate(), users: 0 };
    shared.set(server, entry);
  }
  entry.users++;
  return entry.gate;
}

export function returnGate(server: string): void {
  const entry = shared.get(server);
  if (entry && --entry.users === 0) shared.delete(server);
}
