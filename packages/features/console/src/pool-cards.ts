import { type ObservedPool, observedPools } from '@dal/core';
import type { Scaling } from '@dal/scaling';
import type { RunningStatements } from './running-statements.ts';
import type { PoolCard } from './snapshot.ts';
import type { Judged } from './verdict.ts';

/** Seconds that the small charts reach back. */
const KEPT = 90;
const MOST_SHOWN = 50;

/** The pools of this thread, with their last minute and a half. */
export class PoolCards {
  readonly #scaling: Scaling;
  readonly #running: RunningStatements;
  readonly #series = new WeakMap<ObservedPool, Series>();

  constructor(scaling: Scaling, running: RunningStatements) {
    this.#scaling = scaling;
    this.#running = running;
  }

  /** Notes what every pool does now; once a second. */
  sample(): void {
    for (const pool of observedPools) {
      const series = this.#seriesOf(pool);
      const { lent, waiting } = pool.view.stats();
      const { ended } = this.#running.tally(pool);
      push(series.lent, lent);
      push(series.waiting, waiting);
      push(series.statements, ended - series.ended);
      series.ended = ended;
    }
  }

  /** The pools that are shown, and how many are not. */
  cards(): { readonly judged: Judged[]; readonly more: number } {
    const all = [...observedPools];
    const judged = all.slice(0, MOST_SHOWN).map((pool) => this.#judge(pool));
    return { judged, more: all.length - judged.length };
  }

  #judge(pool: ObservedPool): Judged {
    const { name, server, view } = pool;
    const stats = view.stats();
    const advice = this.#scaling.advise(pool);
    const { lent, waiting, statements } = this.#seriesOf(pool);
    const card: PoolCard = {
      name,
      system: server.system,
      place: placeOf(server),
      level: advice.level,
      action: advice.action,
      reason: advice.reason,
      lent: stats.lent,
      idle: stats.idle,
      connecting: stats.connecting,
      waiting: stats.waiting,
      max: stats.max,
      statementsPerSecond: statements.at(-1) ?? 0,
      waitP95Ms: advice.waitP95Ms,
      timeouts: stats.acquireTimeouts + stats.statementTimeouts,
      leaks: view.leaks().length,
      history: { lent, waiting, statements },
    };
    return { card, advice };
  }

  #seriesOf(pool: ObservedPool): Series {
    let series = this.#series.get(pool);
    if (series === undefined) {
      series = { lent: [], waiting: [], statements: [], ended: 0 };
      this.#series.set(pool, series);
    }
    return series;
  }
}

interface Series {
  readonly lent: number[];
  readonly waiting: number[];
  readonly statements: number[];
  /** Statements that had ended at the last look. */
  ended: number;
}

function push(values: number[], value: number): void {
  values.push(value);
  if (values.length > KEPT) values.shift();
}

function placeOf({ address, port, namespace }: ObservedPool['server']): string {
  const at = port === undefined ? address : `${address}:${port}`;
  return [at, namespace].filter(Boolean).join('/');
}
