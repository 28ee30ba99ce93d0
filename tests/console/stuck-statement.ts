import type { Database } from '@dal/core';

/** A statement that does not end by itself within a test. */
export interface StuckStatement {
  readonly text: string;
  /** Asks the server, on another connection, whether it runs there. */
  isRunning(witness: Database): Promise<boolean>;
  /** For tests in which nobody else ends it. */
  readonly stop: AbortController;
}

let last = 0;

/** A new one each time, to be told from others that run there. */
export function stuckOn(url: string): StuckStatement {
  const mark = `stuck_${process.pid}_${++last}`;
  const stop = new AbortController();
  const ask = async (witness: Database, text: string): Promise<boolean> =>
    Number(await witness.queryValue(text, [`%${mark}%`])) > 0;
  if (url.startsWith('postgres')) {
    const running =
      "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE ? AND pid <> pg_backend_pid()";
    const text = `SELECT pg_sleep(60) /* ${mark} */`;
    return { text, stop, isRunning: (witness) => ask(witness, running) };
  }
  if (url.startsWith('sqlite')) {
    const text =
      'WITH RECURSIVE n(i) AS (SELECT 60 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n';
    return {
      text,
      stop,
      isRunning: () => Promise.reject(new Error('SQLite has no server to ask.')),
    };
  }
  const running =
    "SELECT count(*) FROM information_schema.processlist WHERE command <> 'Sleep' AND info LIKE ? AND id <> connection_id()";
  const text = `SELECT SLEEP(60) /* ${mark} */`;
  return { text, stop, isRunning: (witness) => ask(witness, running) };
}
