import { type AttemptMessage, channels } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';
import { stuckOn } from '../console/stuck-statement.ts';

test.each(inject('engines'))(
  '$name: whoever hears of an attempt can stop it',
  async ({ name, url }) => {
    const database = `stopped ${name}`;
    await using db = await createDatabase(url, { name: database, shared: false, pool: { max: 1 } });
    await db.query('SELECT 1');
    const heard: AttemptMessage[] = [];
    const listener = (message: unknown): void => {
      const attempt = message as AttemptMessage;
      if (attempt.database.name === database) heard.push(attempt);
    };
    channels.attempt.start.subscribe(listener);
    try {
      const { text } = stuckOn(url);
      const ended = db.query(text, [], { idempotent: true }).catch((error: unknown) => error);
      await expect.poll(() => heard[0]?.stop).toBeTypeOf('function');
      heard[0]?.stop?.('a test');
      expect(await ended).toMatchObject({
        kind: 'cancelled',
        code: 'DAL_STOPPED',
        fault: { applied: 'no' },
        message: expect.stringContaining(`stopped by a test on "${database}"`) as string,
      });
      // It is not tried again, and the connection is as good as before.
      expect(heard).toHaveLength(1);
      heard[0]?.stop?.('somebody who is late');
      expect(await db.queryValue('SELECT 7')).toBe(7);
      expect(heard).toHaveLength(2);
      expect(db.pool.stats()).toMatchObject({ lent: 0, statementTimeouts: 0 });
    } finally {
      channels.attempt.start.unsubscribe(listener);
    }
  },
);

test.each(inject('engines'))(
  '$name: and so with a stream, at work or in its loop',
  async ({ name, url }) => {
    const database = `stopped stream ${name}`;
    await using db = await createDatabase(url, { name: database, shared: false, pool: { max: 1 } });
    const heard: AttemptMessage[] = [];
    const listener = (message: unknown): void => {
      const attempt = message as AttemptMessage;
      if (attempt.database.name === database) heard.push(attempt);
    };
    channels.attempt.start.subscribe(listener);
    try {
      const work = (async () => {
        for await (const rows of db.stream(stuckOn(url).text)) expect(rows).toBeDefined();
      })().catch((error: unknown) => error);
      await expect.poll(() => heard[0]?.stop).toBeTypeOf('function');
      // Not before it has its connection.
      await expect.poll(() => db.pool.holders()[0]?.lastStatement).toBeDefined();
      heard[0]?.stop?.('a test');
      expect(await work).toMatchObject({ kind: 'cancelled', code: 'DAL_STOPPED' });
      expect(await db.queryValue('SELECT 7')).toBe(7);

      const many =
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n';
      let batches = 0;
      const loop = (async () => {
        for await (const rows of db.stream(many, [], { batchSize: 10 })) {
          expect(rows.length).toBeGreaterThan(0);
          if (++batches === 2) heard.at(-1)?.stop?.('a test');
        }
      })();
      await expect(loop).rejects.toMatchObject({ kind: 'cancelled', code: 'DAL_STOPPED' });
      expect(batches).toBe(2);
      heard.at(-1)?.stop?.('somebody who is late');
      expect(await db.queryValue('SELECT 7')).toBe(7);
      expect(db.pool.stats()).toMatchObject({ lent: 0, lostConnections: 0 });
    } finally {
      channels.attempt.start.unsubscribe(listener);
    }
  },
);
