import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import type { FaultProxy } from '@dal/testing/faults';

export interface SessionCounts {
  /** How often both were asked. */
  readonly looks: number;
  /** The most that the server had at once, those included whose line was cut and that it still held. */
  readonly mostOnServer: number;
  /** The most at once whose line to the client stood. */
  readonly mostLive: number;
  /** The most lines at once at the proxy, those on their way in or out included. */
  readonly mostAtProxy: number;
  /** The longest time in which more than `max` lines were live, in ms. */
  readonly longestExcessMs: number;
}

const EVERY_MS = 50;

const questions: Readonly<Record<string, string>> = {
  postgres:
    "SELECT client_port AS port FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'direct' AND client_port IS NOT NULL",
  mysql:
    "SELECT SUBSTRING_INDEX(host, ':', -1) AS port FROM information_schema.processlist WHERE id <> connection_id() AND host LIKE '%:%'",
};

/**
 * Counts the sessions of a pool where they are: on the server, past the pool and its proxy. A session
 * whose line was cut while it waited for a lock is the server's until it notices; it is told apart by
 * the port from which it came.
 */
export class SessionWatch {
  readonly #direct: Database;
  readonly #proxy: FaultProxy;
  readonly #max: number;
  readonly #counts = { looks: 0, mostOnServer: 0, mostLive: 0, mostAtProxy: 0, longestExcessMs: 0 };
  #excessSince: number | undefined;
  #stopped = false;
  readonly #watching: Promise<void>;

  constructor(direct: Database, proxy: FaultProxy, max: number) {
    this.#direct = direct;
    this.#proxy = proxy;
    this.#max = max;
    this.#watching = this.#watch();
  }

  async stop(): Promise<SessionCounts> {
    this.#stopped = true;
    await this.#watching;
    return { ...this.#counts };
  }

  async #watch(): Promise<void> {
    const text = questions[this.#direct.dialect.name]!;
    while (!this.#stopped) {
      try {
        const rows = await this.#direct.query<{ port: unknown }>(text, [], { timeoutMs: 1_000 });
        this.#look(rows.map(({ port }) => Number(port)));
      } catch {
        // The server is down at the moment: there is nothing to be counted.
        this.#excessSince = undefined;
      }
      await sleep(EVERY_MS);
    }
  }

  #look(ports: readonly number[]): void {
    const lines = new Set(this.#proxy.portsToServer);
    const ofPool = ports.filter((port) => lines.has(port)).length;
    const counts = this.#counts;
    counts.looks++;
    counts.mostOnServer = Math.max(counts.mostOnServer, ports.length);
    counts.mostLive = Math.max(counts.mostLive, ofPool);
    counts.mostAtProxy = Math.max(counts.mostAtProxy, this.#proxy.counts.open);
    if (ofPool <= this.#max) {
      this.#excessSince = undefined;
      return;
    }
    const now = performance.now();
    this.#excessSince ??= now;
    counts.longestExcessMs = Math.max(counts.longestExcessMs, now - this.#excessSince);
  }
}
