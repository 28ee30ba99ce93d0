import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, type Database, isDalError } from '@dal/core';
import type { ServerKind } from '@dal/testing/servers';
import type { SeededRandom } from '../setup/seeded-random.ts';
import { few, type Verdict } from './verdict.ts';

/** What a session knows of itself, asked by whoever has just borrowed it. */
interface SessionSelf {
  readonly id: unknown;
  /** Anything that the borrower before has left: a setting, a lock, a table, a transaction. */
  readonly leftovers: string | Uint8Array | null;
}

type EngineWords = Readonly<Record<'self' | 'slow', string>> & {
  readonly messes: readonly string[];
};

const mysqlMesses = {
  slow: 'SELECT SLEEP(0.2)',
  messes: [
    "SET @chaos_mark = 'setting'",
    "SELECT GET_LOCK(CONCAT('chaos', connection_id()), 1)",
    'SET autocommit = 0',
    'SELECT * FROM chaos_nowhere',
  ],
};

function mysqlSelf(inTransaction: string): string {
  return `SELECT connection_id() AS id, CONCAT_WS(', ', @chaos_mark,
    IF(IS_USED_LOCK(CONCAT('chaos', connection_id())) IS NULL, NULL, 'lock'),
    IF(@@autocommit = 1, NULL, 'autocommit off'),
    IF(${inTransaction}, 'transaction', NULL)) AS leftovers`;
}

const engines: Readonly<Record<ServerKind, EngineWords>> = {
  postgres: {
    self: `SELECT concat(pid, ' ', backend_start) AS id, concat_ws(', ',
        nullif(current_setting('chaos.mark', true), ''),
        (SELECT 'advisory lock' FROM pg_locks l WHERE l.pid = pg_backend_pid() AND locktype = 'advisory' LIMIT 1),
        CASE WHEN to_regclass('pg_temp.chaos_temp') IS NOT NULL THEN 'temporary table' END,
        CASE WHEN pg_current_xact_id_if_assigned() IS NOT NULL THEN 'transaction' END) AS leftovers
      FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
    slow: 'SELECT pg_sleep(0.2)',
    messes: [
      "SET chaos.mark = 'setting'",
      'SELECT pg_advisory_lock(pg_backend_pid())',
      'CREATE TEMP TABLE chaos_temp (id int)',
      'SELECT 1 / 0',
    ],
  },
  // innodb_trx is up to a tenth of a second old.
  mysql: {
    self: mysqlSelf(
      "EXISTS (SELECT 1 FROM performance_schema.events_transactions_current e JOIN performance_schema.threads t USING (thread_id) WHERE t.processlist_id = connection_id() AND e.state = 'ACTIVE' AND e.autocommit = 'NO')",
    ),
    ...mysqlMesses,
  },
  mariadb: { self: mysqlSelf('@@in_transaction'), ...mysqlMesses },
};

/** A row that says so may never be committed. */
const POISON = "INSERT INTO chaos_ledger (op, kind) VALUES (?, 'poison')";
const STATEMENT_MS = 1_000;
/** What an acquire may take beyond its timeout on a machine that is not late itself. */
const MOST_OVER_MS = 50;

/**
 * Callers that leave connections as badly as they can, use them after they gave them back, give up
 * waiting; and look at each that they get for what somebody else has left.
 */
export class MessyCallers {
  readonly #db: Database;
  readonly #random: SeededRandom;
  readonly #words: EngineWords;
  readonly #holders = new Set<string>();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 5 });
  readonly #acquires: number[] = [];
  readonly #dirty: string[] = [];
  readonly #shared: string[] = [];
  #borrowed = 0;
  #misused = 0;
  #poison = 0;

  constructor(engine: ServerKind, db: Database, random: SeededRandom) {
    this.#db = db;
    this.#random = random;
    this.#words = engines[engine];
    this.#loopDelay.enable();
  }

  async work(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      const connection = await this.#acquire();
      if (connection) await this.#use(connection);
      await sleep(this.#random.between(1, 20));
    }
  }

  /** The server has lost all its sessions, and may give their names to new ones. */
  forgetHolders(): void {
    this.#holders.clear();
  }

  async verdicts(direct: Database): Promise<Verdict[]> {
    this.#loopDelay.disable();
    const poison = await direct.queryValue<number>(
      "SELECT COUNT(*) FROM chaos_ledger WHERE kind = 'poison'",
    );
    const late = this.#acquires.toSorted((a, b) => a - b);
    const most = late.at(-1) ?? 0;
    const loopMs = this.#loopDelay.max / 1e6;
    const allowed = MOST_OVER_MS + 2 * loopMs;
    return [
      {
        promise: 'P1 nobody gets what another has left',
        seen: `${this.#borrowed} borrowed of which most were left dirty, ${this.#dirty.length} found so, ${poison} rows of abandoned transactions`,
        broken: [
          ...(this.#dirty.length > 0 ? [`left for the next: ${few(this.#dirty)}`] : []),
          ...(Number(poison) > 0 ? [`${poison} rows of abandoned transactions`] : []),
        ],
      },
      {
        promise: 'P2 one borrower at a time, and none after release',
        seen: `${this.#misused} uses after release refused`,
        broken: this.#shared,
      },
      {
        promise: 'P4 every acquire settles in its time',
        seen: `${late.length} acquires, at most ${Math.max(0, Math.round(most))} ms over, the event loop up to ${Math.round(loopMs)} ms late`,
        broken: most > allowed ? [`an acquire ended ${Math.round(most)} ms after its time`] : [],
      },
    ];
  }

  async #acquire(): Promise<Connection | undefined> {
    const timeoutMs = this.#random.between(20, 600);
    const giveUp = new AbortController();
    const abortMs = this.#random.between(0, 4) === 0 ? this.#random.between(0, 100) : undefined;
    const timer =
      abortMs === undefined ? undefined : setTimeout(() => giveUp.abort(), abortMs).unref();
    const began = performance.now();
    try {
      return await this.#db.acquire({ timeoutMs, signal: giveUp.signal });
    } catch (error) {
      if (!isDalError(error)) this.#shared.push(`acquire: ${String(error)}`);
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#acquires.push(performance.now() - began - Math.min(timeoutMs, abortMs ?? Infinity));
    }
  }

  async #use(connection: Connection): Promise<void> {
    let id: string | undefined;
    try {
      const [self] = await connection.query<SessionSelf>(this.#words.self, [], {
        timeoutMs: STATEMENT_MS,
      });
      id = String(self?.id);
      this.#borrowed++;
      if (this.#holders.has(id)) this.#shared.push(`session ${id} has two borrowers`);
      this.#holders.add(id);
      if (connection.inTransaction) this.#dirty.push('an open transaction');
      // Null or an empty list, and on MariaDB in bytes.
      const leftovers = self?.leftovers?.toString() ?? '';
      if (leftovers !== '') this.#dirty.push(leftovers);
      await this.#leaveMess(connection);
    } catch (error) {
      if (!isDalError(error)) this.#shared.push(`a session: ${String(error)}`);
    } finally {
      // Before it is given back: from then on it may be somebody else's.
      if (id !== undefined) this.#holders.delete(id);
      await connection.release().catch(() => undefined);
    }
    await this.#useAgain(connection);
  }

  async #leaveMess(connection: Connection): Promise<void> {
    const limit = { timeoutMs: STATEMENT_MS };
    const kind = this.#random.between(0, 5);
    if (kind === 0) await connection.query(this.#words.slow, [], { timeoutMs: 20 });
    else if (kind === 1) await connection.begin();
    else if (kind === 2) await connection.execute('BEGIN');
    if (kind === 1 || kind === 2) {
      await connection.execute(POISON, [`poison-${this.#poison++}`], limit);
      return;
    }
    await connection.query(this.#random.pick(this.#words.messes), [], limit);
  }

  /** Both must be refused, and reach nobody. */
  async #useAgain(connection: Connection): Promise<void> {
    const tries = [
      () => connection.execute(POISON, [`poison-${this.#poison++}`], { timeoutMs: STATEMENT_MS }),
      () => connection.release(),
    ];
    for (const use of tries) {
      try {
        await use();
        this.#shared.push('a use after release was accepted');
      } catch (error) {
        if (isDalError(error)) this.#misused++;
        else this.#shared.push(`a use after release: ${String(error)}`);
      }
    }
  }
}
