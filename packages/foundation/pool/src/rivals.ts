import { askRole } from './ask-role.ts';
import type { ConnectAttempts } from './connect-attempts.ts';
import { bidFarewell, discard, type KnownServer } from './known-server.ts';
import type { Met } from './meet-server.ts';

export interface RivalsParts<Options, Raw> {
  readonly attempts: ConnectAttempts;
  meet(server: KnownServer<Options>, signal: AbortSignal): Promise<Met<Raw>>;
  /** What a rival said. True: its session was taken. */
  onAnswer(server: KnownServer<Options>, met: Met<Raw>): Promise<boolean>;
}

/** Between two questions to a rival, at least. */
const ASK_MS = 150;
/** For so long they may be asked again, where statements take longer than others now and then. */
const KEEP_MS = 10_000;
/** How long a primary that is alive is left alone; doubled each time, as long as it is silent. */
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The other servers, while the primary is silent: is one of them the primary by now? Each is asked on
 * one session, which is kept until it is dismissed.
 */
export class Rivals<Options, Raw> {
  readonly #parts: RivalsParts<Options, Raw>;
  readonly #held = new Map<KnownServer<Options>, Met<Raw>>();
  readonly #asking = new Set<KnownServer<Options>>();
  #isWanted = false;
  #askedAt = -Infinity;
  #pausedUntil = 0;
  #pauseMs = PAUSE_MS;

  constructor(parts: RivalsParts<Options, Raw>) {
    this.#parts = parts;
  }

  /** Asks each that owes no answer, unless they were asked a moment ago. */
  ask(servers: readonly KnownServer<Options>[]): void {
    const now = performance.now();
    if (now < Math.max(this.#askedAt + ASK_MS, this.#pausedUntil)) return;
    this.#askedAt = now;
    this.#isWanted = true;
    for (const server of servers) {
      if (this.#asking.has(server) || server.gate.pauses || server.forgotten > 0) continue;
      this.#asking.add(server);
      void this.#ask(server).finally(() => this.#asking.delete(server));
    }
  }

  /** The primary is silent, but alive. */
  pause(): void {
    this.#pausedUntil = performance.now() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  /** The primary is not silent. */
  relax(): void {
    this.#pauseMs = PAUSE_MS;
    this.#pausedUntil = 0;
    if (performance.now() - this.#askedAt > KEEP_MS) this.dismiss();
  }

  /** Says goodbye to all; those that are being asked are let go when they have answered. */
  dismiss(): void {
    this.#isWanted = false;
    if (this.#held.size === 0) return;
    for (const { connection } of this.#held.values()) void this.#farewell(connection);
    this.#held.clear();
  }

  async #ask(server: KnownServer<Options>): Promise<void> {
    const { attempts, meet, onAnswer } = this.#parts;
    const held = this.#held.get(server);
    this.#held.delete(server);
    let met: Met<Raw>;
    try {
      met = await attempts.run(async (signal) =>
        held ? { ...held, role: await askRole(held.connection, signal) } : meet(server, signal),
      );
    } catch {
      // This one does not serve either.
      if (held) discard(held.connection);
      return;
    }
    if (this.#isWanted && (await onAnswer(server, met))) return;
    if (this.#isWanted) this.#held.set(server, met);
    else await this.#farewell(met.connection);
  }

  #farewell(connection: Met<Raw>['connection']): Promise<void> {
    return this.#parts.attempts.run((signal) => bidFarewell(connection, signal));
  }
}
