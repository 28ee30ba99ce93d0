import { monitorEventLoopDelay } from 'node:perf_hooks';
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
  /** Beside them, the most at once that were to stop a statement, or that logged in on MySQL. */
  readonly mostStops: number;
  /** The longest time in which more than `max` lines were live, in ms. */
  readonly longestExcessMs: number;
  /** How late the event loop was at most: server and proxy may be asked that far apart. */
  readonly loopDelayMs: number;
  /** What those did then, in the words of the server. */
  readonly inExcess: readonly string[];
}

const EVERY_MS = 10;

const questions: Readonly<Record<string, string>> = {
  postgres:
    "SELECT client_port AS port, concat_ws(' ', state, wait_event, left(query, 40)) AS does, 0 AS stops FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> 'direct' AND client_port IS NOT NULL",
  mysql:
    "SELECT SUBSTRING_INDEX(host, ':', -1) AS port, CONCAT_WS(' ', command, state, LEFT(info, 40)) AS does, db IS NULL AS stops FROM information_schema.processlist WHERE id <> connection_id() AND host LIKE '%:%'",
};

interface SessionRow {
  readonly port: unknown;
  readonly does: unknown;
  /**
   * One: it has no database, since it has come to stop another one, or logs in for whatever. PostgreSQL
   * needs no session to stop one, so there those that log in count.
   */
  readonly stops: unknown;
}

/**
 * Counts the sessions of a pool where they are: on the server, past the pool and its proxy. A session
 * whose line was cut while it waited for a lock is the server's until it notices; it is told apart by
 * the port from which it came.
 */
export class SessionWatch {
  readonly #direct: Database;
  readonly #proxy: FaultProxy;
  readonly #max: number;
  readonly #counts = {
    looks: 0,
    mostOnServer: 0,
    mostLive: 0,
    mostAtProxy: 0,
    mostStops: 0,
    longestExcessMs: 0,
  };
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 5 });
  #inExcess: readonly string[] = [];
  #excessSince: number | undefined;
  #stopped = false;
  readonly #watching: Promise<void>;

  constructor(direct: Database, proxy: FaultProxy, max: number) {
    this.#direct = direct;
    this.#proxy = proxy;
    this.#max = max;
    this.#loopDelay.enable();
    this.#watching = this.#watch();
  }

  async stop(): Promise<SessionCounts> {
    this.#stopped = true;
    await this.#watching;
    this.#loopDelay.disable();
    const loopDelayMs = this.#loopDelay.max / 1e6;
    return { ...this.#counts, loopDelayMs, inExcess: this.#inExcess };
  }

  async #watch(): Promise<void> {
    const text = questions[this.#direct.dialect.name]!;
    while (!this.#stopped) {
      try {
        this.#look(await this.#direct.query<SessionRow>(text, [], { timeoutMs: 1_000 }));
      } catch {
        // The server is down at the moment: there is nothing to be counted.
        this.#excessSince = undefined;
      }
      await sleep(EVERY_MS);
    }
  }

  #look(sessions: readonly SessionRow[]): void {
    const lines = new Set(this.#proxy.portsToServer);
    const live = sessions.filter(({ port }) => lines.has(Number(port)));
    // A KILL has to come on a line of its own.
    const stops = live.filter((session) => Number(session.stops) === 1).length;
    const ofPool = live.length - stops;
    const counts = this.#counts;
    counts.looks++;
    counts.mostOnServer = Math.max(counts.mostOnServer, sessions.length);
    counts.mostLive = Math.max(counts.mostLive, ofPool);
    counts.mostAtProxy = Math.max(counts.mostAtProxy, this.#proxy.counts.open);
    counts.mostStops = Math.max(counts.mostStops, stops);
    if (ofPool <= this.#max) {
      this.#excessSince = undefined;
      return;
    }
    const now = performance.now();
    this.#excessSince ??= now;
    if (now - this.#excessSince <= counts.longestExcessMs) return;
    counts.longestExcessMs = now - this.#excessSince;
    this.#inExcess = live.map(({ does }) => String(does));
  }
}
