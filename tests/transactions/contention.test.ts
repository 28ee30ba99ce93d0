import type { Database, HookEvents } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const CLIENTS = 20;

/** Twenty clients that want the same rows, on real locks. */
describe.each(inject('engines'))('$name', ({ name, url }) => {
  let db: Database;
  const events: HookEvents['retry'][] = [];

  beforeAll(async () => {
    db = await createDatabase(url, {
      // A connection to SQLite is a process.
      pool: { max: name === 'sqlite' ? 4 : CLIENTS },
      retry: { baseDelayMs: 5, maxDelayMs: 60 },
    });
    db.hooks.on('retry', (event) => events.push(event));
    for (const table of ['contended', 'contended_log']) {
      await db.execute(`DROP TABLE IF EXISTS ${table}`);
    }
    const { integer } = db.dialect.types;
    await db.execute(`CREATE TABLE contended (id ${integer} PRIMARY KEY, v ${integer} NOT NULL)`);
    await db.execute(`CREATE TABLE contended_log (who ${integer}, what ${integer})`);
  });
  afterAll(async () => {
    await db.execute('DROP TABLE contended');
    await db.execute('DROP TABLE contended_log');
    await db.close();
  });

  const fill = async (rows: number, value: number): Promise<void> => {
    await db.execute('DELETE FROM contended');
    await db.execute('DELETE FROM contended_log');
    for (let id = 0; id < rows; id++) {
      await db.execute('INSERT INTO contended VALUES (?, ?)', [id, value]);
    }
  };

  test('read, add one, write: no update is lost', async () => {
    await fill(1, 0);
    const before = db.pool.stats().retries;
    events.length = 0;
    let runs = 0;
    const each = 3;
    const clients = Array.from({ length: CLIENTS }, async (_, who) => {
      for (let what = 0; what < each; what++) {
        await db.transaction(
          async (tx) => {
            runs++;
            const v = Number(await tx.queryValue('SELECT v FROM contended WHERE id = 0'));
            await tx.execute('UPDATE contended SET v = ? WHERE id = 0', [v + 1]);
            await tx.execute('INSERT INTO contended_log VALUES (?, ?)', [who, what]);
          },
          { isolation: 'serializable', retries: 200, timeoutMs: 25_000 },
        );
      }
    });
    await Promise.all(clients);
    expect(Number(await db.queryValue('SELECT v FROM contended'))).toBe(CLIENTS * each);
    expect(Number(await db.queryValue('SELECT COUNT(*) FROM contended_log'))).toBe(CLIENTS * each);
    const retries = db.pool.stats().retries - before;
    expect(runs).toBe(CLIENTS * each + retries);
    expect(events).toHaveLength(retries);
    // SQLite's writers queue for the file instead of meeting in it.
    if (name !== 'sqlite') expect(retries).toBeGreaterThan(0);
    for (const { error, statement } of events) {
      expect(statement).toBeUndefined();
      expect(['deadlock', 'serialization']).toContain(error.kind);
    }
  });

  test('two locks in any order: deadlocks end, and no money is made', async () => {
    // PostgreSQL looks for a deadlock after a second of waiting, so each of them costs one.
    const [accounts, each] = name === 'postgres' ? [8, 1] : [4, 4];
    await fill(accounts, 100);
    const before = db.pool.stats().retries;
    const clients = Array.from({ length: CLIENTS }, async (_, who) => {
      for (let what = 0; what < each; what++) {
        const from = (who + what) % accounts;
        const to = (from + 1 + (who % 3)) % accounts;
        await db.transaction(
          async (tx) => {
            await tx.execute('UPDATE contended SET v = v - 1 WHERE id = ?', [from]);
            await tx.execute('UPDATE contended SET v = v + 1 WHERE id = ?', [to]);
            await tx.execute('INSERT INTO contended_log VALUES (?, ?)', [who, what]);
          },
          { retries: 200, timeoutMs: 25_000 },
        );
      }
    });
    await Promise.all(clients);
    expect(Number(await db.queryValue('SELECT SUM(v) FROM contended'))).toBe(accounts * 100);
    expect(Number(await db.queryValue('SELECT COUNT(*) FROM contended_log'))).toBe(CLIENTS * each);
    if (name !== 'sqlite') expect(db.pool.stats().retries).toBeGreaterThan(before);
  });

  test('write skew: of those who all may go when another stays, one stays', async () => {
    await fill(CLIENTS, 1);
    const leave = (id: number): Promise<boolean> =>
      db.transaction(
        async (tx) => {
          const present = Number(await tx.queryValue('SELECT COUNT(*) FROM contended WHERE v = 1'));
          if (present < 2) return false;
          await tx.execute('UPDATE contended SET v = 0 WHERE id = ?', [id]);
          return true;
        },
        { isolation: 'serializable', retries: 200, timeoutMs: 25_000 },
      );
    const left = await Promise.all(Array.from({ length: CLIENTS }, (_, id) => leave(id)));
    expect(left.filter(Boolean)).toHaveLength(CLIENTS - 1);
    expect(Number(await db.queryValue('SELECT COUNT(*) FROM contended WHERE v = 1'))).toBe(1);
  });

  test('without retries the error comes out; with too few it carries the attempts', async () => {
    if (name === 'sqlite') return;
    await fill(1, 0);
    const errors: unknown[] = [];
    const clients = Array.from({ length: CLIENTS }, (_, who) =>
      db
        .transaction(
          async (tx) => {
            const v = Number(await tx.queryValue('SELECT v FROM contended WHERE id = 0'));
            await tx.execute('UPDATE contended SET v = ? WHERE id = 0', [v + 1]);
          },
          { isolation: 'serializable', retries: who % 2 },
        )
        .catch((error: unknown) => errors.push(error)),
    );
    await Promise.all(clients);
    const counted = Number(await db.queryValue('SELECT v FROM contended'));
    expect(counted).toBe(CLIENTS - errors.length);
    expect(errors.length).toBeGreaterThan(0);
    const attempts = errors.map((error) => (error as { attempts: unknown[] }).attempts.length);
    expect(new Set(attempts)).toEqual(new Set([0, 1]));
  });
});
