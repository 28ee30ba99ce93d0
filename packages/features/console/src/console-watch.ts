import type { Database } from '@dal/core';
import { type Digest, enableScaling, type Scaling } from '@dal/scaling';
import { hearEvents } from './hear-events.ts';
import { Listening } from './listening.ts';
import { PoolCards } from './pool-cards.ts';
import { RecentEvents } from './recent-events.ts';
import { RunningStatements } from './running-statements.ts';
import { ServerSessions } from './server-sessions.ts';
import type { DigestRow, Snapshot } from './snapshot.ts';
import { StatementTexts } from './statement-texts.ts';
import { verdictOf, weight } from './verdict.ts';

const MOST_RUNNING = 50;
/** What is over sooner would only flicker. */
const SHOWN_FROM_MS = 100;
const MOST_DIGESTS = 10;
const LONGEST_TEXT = 2_000;

/** Looks on while the console is there: what runs, what happened, and what each pool was like. */
export class ConsoleWatch {
  readonly events: RecentEvents = new RecentEvents();
  readonly #listening = new Listening();
  readonly #running: RunningStatements;
  readonly #cards: PoolCards;
  readonly #scaling: Scaling;
  readonly #sessions: ServerSessions | undefined;

  /** @param server a database whose server is asked what other programs run there */
  constructor(server?: Database) {
    const texts = new StatementTexts();
    this.#scaling = enableScaling();
    this.#running = new RunningStatements(this.#listening, texts);
    this.#cards = new PoolCards(this.#scaling, this.#running);
    if (server) this.#sessions = new ServerSessions(server, texts);
    hearEvents(this.#listening, this.events, texts);
  }

  /** Once a second. */
  sample(): void {
    this.#cards.sample();
  }

  snapshot(): Snapshot {
    const { judged, more } = this.#cards.cards();
    const elsewhere = this.#sessions?.rows() ?? [];
    const running = [...this.#running.rows(MOST_RUNNING), ...elsewhere]
      .filter(({ forMs }) => forMs >= SHOWN_FROM_MS)
      .toSorted((a, b) => b.forMs - a.forMs)
      .slice(0, MOST_RUNNING);
    return {
      at: Date.now(),
      verdict: verdictOf(judged, this.#sessions?.sentence()),
      pools: judged.toSorted((a, b) => weight(b) - weight(a)).map(({ card }) => card),
      morePools: more,
      digests: digestRows(this.#scaling.digests({ top: Infinity })),
      running,
      runningCount: this.#running.count + elsewhere.length,
    };
  }

  /** @returns how many of them were still there to be stopped */
  stop(ids: readonly string[]): number {
    const stopped = ids.filter((id) => this.#sessions?.stop(id) ?? this.#running.stop(id)).length;
    if (stopped > 0) {
      const words = `The console stopped ${stopped === 1 ? 'a statement' : `${stopped} statements`}.`;
      this.events.note({ tone: 'plain', what: 'action', database: '', words });
    }
    return stopped;
  }

  end(): void {
    this.#listening.stop();
    this.#sessions?.end();
    this.#scaling.disable();
  }
}

function digestRows(digests: readonly Digest[]): DigestRow[] {
  const all = digests.reduce((sum, { totalMs }) => sum + totalMs, 0);
  return digests.slice(0, MOST_DIGESTS).map((digest) => {
    const { id, database, text, count, errors, rows, totalMs, p50Ms, p95Ms, p99Ms } = digest;
    return {
      id,
      database,
      text: text.slice(0, LONGEST_TEXT),
      count,
      errors,
      rows,
      totalMs,
      p50Ms,
      p95Ms,
      p99Ms,
      share: all === 0 ? 0 : totalMs / all,
    };
  });
}
