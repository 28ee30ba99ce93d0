import { getEventListeners, type EventEmitter } from 'node:events';
import type { Connection, Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { manyRows } from './many-rows.ts';

/** Leaving takes MySQL and MariaDB a KILL over a connection of its own. All of it: DAL_STREAM_LEAVES=300. */
const timesOf = (name: string): number =>
  Number(process.env['DAL_STREAM_LEAVES'] ?? (/mysql|mariadb/.test(name) ? 40 : 300));

/** How many statements run in the sessions with these ids, and how many of them there are. */
const sessions: Readonly<Record<string, { id: string; look: (ids: string) => string }>> = {
  postgres: {
    id: 'SELECT pg_backend_pid()',
    look: (ids) =>
      `SELECT COUNT(*) AS open, SUM(CASE WHEN state = 'idle' THEN 0 ELSE 1 END) AS busy
       FROM pg_stat_activity WHERE pid IN (${ids})`,
  },
  mysql: {
    id: 'SELECT CONNECTION_ID()',
    look: (ids) =>
      // Not by the command: MariaDB calls a resting session "Killed" whose last KILL QUERY found it so.
      `SELECT COUNT(*) AS open, SUM(CASE WHEN info IS NULL THEN 0 ELSE 1 END) AS busy
       FROM information_schema.processlist WHERE id IN (${ids})`,
  },
};

describe.each(inject('engines'))('$name', ({ name, url }) => {
  const words = sessions[name === 'mariadb' ? 'mysql' : name];
  let db: Database;

  beforeAll(async () => {
    db = await createDatabase(url, { pool: { max: 2 } });
  });
  afterAll(() => db.close());

  const text = manyRows(100_000);
  const leave: readonly ((signal: AbortSignal) => Promise<void>)[] = [
    async (signal) => {
      for await (const batch of db.stream(text, [], { batchSize: 20, signal })) {
        if (batch.length > 0) break;
      }
    },
    async (signal) => {
      const loop = async (): Promise<void> => {
        for await (const _ of db.stream(text, [], { batchSize: 20, signal }))
          throw new Error('mine');
      };
      await expect(loop()).rejects.toThrow('mine');
    },
    async () => {
      const aborter = new AbortController();
      const { signal } = aborter;
      const loop = async (): Promise<void> => {
        for await (const _ of db.stream(text, [], { batchSize: 20, signal })) aborter.abort();
      };
      await expect(loop()).rejects.toMatchObject({ code: 'DAL_ABORTED' });
    },
    async (signal) => {
      let seen = 0;
      for await (const _ of db.stream(text, [], { batchSize: 20, signal }).rows()) {
        if (++seen === 30) break;
      }
    },
  ];

  const times = timesOf(name);
  test(`${times} streams left early: no connection, cursor or listener stays`, async () => {
    const { signal } = new AbortController();
    const ids = await Promise.all([ofTwo(), ofTwo()]);
    const before = await listeners(db);
    for (let turn = 0; turn < times; turn += 2) {
      await Promise.all(
        [turn, turn + 1].map(async (which) => leave[which % leave.length]?.(signal)),
      );
    }
    expect(db.pool.stats()).toMatchObject({ lent: 0, waiting: 0, created: 2, size: 2 });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(await listeners(db)).toEqual(before);
    if (words) {
      // Both sessions are the ones from before, and nothing runs or is held open in them.
      await using admin = await createDatabase(url);
      const look = words.look(ids.join(', '));
      await expect
        .poll(async () => Object.values((await admin.query(look))[0] ?? {}).map(Number))
        .toEqual([2, 0]);
    }
    if (name === 'postgres') {
      expect(
        await db.queryValue("SELECT COUNT(*) FROM pg_cursors WHERE statement LIKE 'WITH digits%'"),
      ).toBe(0);
    }
    const answers = await Promise.all([1, 2, 3, 4].map((n) => db.queryValue('SELECT ? + 0', [n])));
    expect(answers.map(Number)).toEqual([1, 2, 3, 4]);
  }, 120_000);

  /** The id of a session that is lent at the same time as another. */
  async function ofTwo(): Promise<unknown> {
    return db.connection(async (connection) => {
      await expect.poll(() => db.pool.stats().size).toBe(2);
      return words ? connection.queryValue(words.id) : undefined;
    });
  }
});

/** How many listeners the line of a session has, by event. */
async function listeners(db: Database): Promise<Record<string, number>> {
  return db.connection((connection: Connection) => {
    const raw = connection.raw as { connection?: { stream?: EventEmitter }; stream?: EventEmitter };
    const line = raw.connection?.stream ?? raw.stream;
    const names = line?.eventNames() ?? [];
    return Promise.resolve(
      Object.fromEntries(names.map((name) => [String(name), line?.listenerCount(name) ?? 0])),
    );
  });
}
