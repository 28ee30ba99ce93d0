import type { ServerRole } from '@dal/core';
import type { KnownServer } from './known-server.ts';

/** One server's time as the primary; another object after each change. */
export interface Reign<Options> {
  readonly server: KnownServer<Options>;
  readonly since: number;
}

/** By then a primary has written something that its predecessor lacks, if it ever does. */
const YOUNG_MS = 10_000;

/**
 * Who is the primary, by what servers say of themselves. One that was the primary before is not
 * believed when it says so still: it has to count a newer change of the primary, or to have what its
 * successor had.
 */
export class Primacy<Options> {
  #reign: Reign<Options> | undefined;
  #generation = 0;
  #hadOther = false;
  /** The last one that was believed, with what it said when it was seen last. */
  #last: { readonly server: KnownServer<Options>; readonly role: ServerRole } | undefined;

  get reign(): Reign<Options> | undefined {
    return this.#reign;
  }

  /** More has changed since the primary that is known. */
  isNewer({ generation }: ServerRole): boolean {
    return generation !== undefined && generation > this.#generation;
  }

  /** The reign is young, and what the primary has by now will tell it from the one before. */
  get needsSight(): boolean {
    const isYoung = this.#reign !== undefined && performance.now() - this.#reign.since < YOUNG_MS;
    return isYoung && this.#hadOther && this.#last?.role.history !== undefined;
  }

  /** Why a server that says that it is the primary is not; undefined: it is believed. */
  doubtOf(server: KnownServer<Options>, role: ServerRole): string | undefined {
    if (role.generation !== undefined && role.generation < this.#generation) {
      return 'is a former primary';
    }
    if (!server.dethroned || this.#follows(server, role)) return undefined;
    return `is a former primary, which lacks what ${this.#last?.server.name} had`;
  }

  /** A server was seen that is not the primary: it may have followed its successor. */
  sawOther(server: KnownServer<Options>, role: ServerRole): void {
    if (server.dethroned && this.#follows(server, role)) server.dethroned = false;
  }

  /** A server was believed. */
  believe(server: KnownServer<Options>, role: ServerRole): Reign<Options> {
    if (this.#reign?.server !== server) this.end();
    if (this.#last && this.#last.server !== server) this.#hadOther = true;
    this.#generation = role.generation ?? this.#generation;
    this.#last = { server, role };
    server.dethroned = false;
    this.#reign ??= { server, since: performance.now() };
    return this.#reign;
  }

  end(): void {
    if (!this.#reign) return;
    const { server } = this.#reign;
    server.dethroned = true;
    server.unfit = 'is not the primary any more';
    server.unfitSince = performance.now();
    this.#reign = undefined;
  }

  #follows(server: KnownServer<Options>, { history }: ServerRole): boolean {
    const last = this.#last;
    // One that is not known to have had a successor has none to follow.
    if (!last?.role.history || last.server === server) return true;
    return history !== undefined && history.includes(last.role.history);
  }
}
