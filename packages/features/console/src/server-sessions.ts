import type { Database, Row } from '@dal/core';
import type { RunningRow } from './snapshot.ts';
import { shownTags, type StatementTexts } from './statement-texts.ts';

const EVERY_MS = 2_000;
const ASK_TIMEOUT_MS = 5_000;

/** How an engine tells what its sessions run, and is told to stop it. */
interface Words {
  /** Columns: id, started, place, program, text, for_ms; own session left out. */
  readonly list: string;
  /** Whatever that session runs by now, it must not be another statement, as far as can be had. */
  stop(db: Database, session: Session): Promise<unknown>;
}

const engines: Readonly<Record<string, Words>> = {
  postgres: {
    list: `SELECT pid AS id, query_start::text AS started, datname AS place, application_name AS program,
  query AS text, (extract(epoch FROM clock_timestamp() - query_start) * 1000)::float8 AS for_ms
  FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active'
  AND pid <> pg_backend_pid() AND query_start IS NOT NULL ORDER BY query_start LIMIT 50`,
    stop: (db, { id, started }) =>
      db.query(
        'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = ? AND query_start::text = ?',
        [id, started],
        { timeoutMs: ASK_TIMEOUT_MS },
      ),
  },
  mysql: {
    list: `SELECT id AS id, '' AS started, db AS place, user AS program, info AS text, time * 1000 AS for_ms
  FROM information_schema.processlist WHERE command IN ('Query', 'Execute')
  AND id <> connection_id() AND info IS NOT NULL ORDER BY time DESC LIMIT 50`,
    stop: (db, { id }) => db.query(`KILL QUERY ${id}`, [], { timeoutMs: ASK_TIMEOUT_MS }),
  },
};

/** What other programs run on the server of a database; asked every two seconds. */
export class ServerSessions {
  readonly #db: Database;
  readonly #texts: StatementTexts;
  readonly #words: Words | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #end = new AbortController();
  #sessions: readonly Session[] = [];
  #askedAt = 0;
  #isAsking = false;
  #hasFailed = false;

  constructor(db: Database, texts: StatementTexts) {
    this.#db = db;
    this.#texts = texts;
    this.#words = engines[db.dialect.name];
    if (this.#words === undefined) return;
    this.#timer = setInterval(() => void this.#ask(), EVERY_MS).unref();
    void this.#ask();
  }

  rows(): RunningRow[] {
    const since = performance.now() - this.#askedAt;
    return this.#sessions.map(({ id, place, program, text: statement, forMs }) => {
      const { text, id: digest } = this.#texts.shown(statement, this.#db.dialect);
      const tags = shownTags(program === '' ? undefined : { program });
      const shown = { database: place, text, digest, tags, forMs: forMs + since };
      return { ...shown, id: `${PREFIX}${id}`, kind: 'server', canStop: true };
    });
  }

  /** What the server does, in a sentence; undefined when this engine has no other programs. */
  sentence(): string | undefined {
    if (this.#words === undefined || this.#askedAt === 0) return undefined;
    if (this.#hasFailed) return 'The server does not say what it runs.';
    const [longest] = this.#sessions;
    if (longest === undefined) return 'The server runs no statement of other programs.';
    const count = this.#sessions.length;
    const many = count === 1 ? 'one statement' : `${count} statements`;
    return `The server runs ${many} of other programs, the longest for ${Math.round(longest.forMs / 1_000)} s.`;
  }

  /** @returns undefined when that is the id of something else; false when it is over */
  stop(id: string): boolean | undefined {
    if (!id.startsWith(PREFIX)) return undefined;
    const session = this.#sessions.find((one) => `${PREFIX}${one.id}` === id);
    if (session === undefined) return false;
    // Who lacks the right to stop it sees that it goes on.
    this.#words?.stop(this.#db, session).then(() => this.#ask(), ignore);
    return true;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#end.abort();
  }

  async #ask(): Promise<void> {
    if (this.#words === undefined || this.#isAsking || this.#end.signal.aborted) return;
    this.#isAsking = true;
    try {
      const options = { timeoutMs: ASK_TIMEOUT_MS, signal: this.#end.signal };
      const rows = await this.#db.query(this.#words.list, [], options);
      this.#sessions = rows.map(sessionOf);
      this.#hasFailed = false;
    } catch {
      this.#sessions = [];
      this.#hasFailed = true;
    }
    this.#askedAt = performance.now();
    this.#isAsking = false;
  }
}

const PREFIX = 'server-';

interface Session {
  readonly id: number;
  readonly started: string;
  readonly place: string;
  readonly program: string;
  readonly text: string;
  readonly forMs: number;
}

function sessionOf({ id, started, place, program, text, for_ms: forMs }: Row): Session {
  const words = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    id: Number(id),
    started: words(started),
    place: words(place),
    program: words(program),
    text: words(text),
    forMs: Math.max(0, Number(forMs)),
  };
}

function ignore(): void {
  // The next look shows what became of it.
}
