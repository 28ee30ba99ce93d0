import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { copyFrom, copyTo, postgres } from '../src/index.ts';

const COUNT = 100_000;
const FROM = 'COPY dal_copy (id, name) FROM STDIN';
const TO = 'COPY (SELECT id, name FROM dal_copy ORDER BY id) TO STDOUT';
/** About 60 MB, so that it never fits into the buffers of a line. */
const LONG = `COPY (SELECT i, repeat('x', 200) FROM generate_series(1, 300000) i) TO STDOUT`;

async function read(source: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

for (const { url } of inject('engines').filter((engine) => engine.name === 'postgres')) {
  describe('COPY', () => {
    let db: Database;
    let other: Database;
    const count = async (): Promise<unknown> => other.queryValue('SELECT COUNT(*) FROM dal_copy');
    const pidOf = async (): Promise<unknown> => db.queryValue('SELECT pg_backend_pid()');

    beforeAll(async () => {
      db = postgres(url, { pool: { max: 1 } });
      other = postgres(url, { pool: { max: 1 } });
      await other.execute('DROP TABLE IF EXISTS dal_copy CASCADE');
      await other.execute('CREATE TABLE dal_copy (id int PRIMARY KEY, name text)');
    });
    beforeEach(async () => {
      await other.execute('TRUNCATE dal_copy');
    });
    afterAll(async () => {
      await other.execute('DROP TABLE IF EXISTS dal_copy CASCADE');
      await Promise.all([db.close(), other.close()]);
    });

    test('the command tag and its count', async () => {
      expect(await copyFrom(db, FROM, '1\ta\n2\tb\n')).toEqual({
        command: 'COPY',
        affectedRows: 2,
      });
      expect(await read(copyTo(db, TO))).toBe('1\ta\n2\tb\n');
      expect(await copyFrom(db, FROM, '')).toMatchObject({ affectedRows: 0 });
    });

    test(`${COUNT} rows there and back: the same bytes`, async () => {
      let text = '';
      for (let id = 1; id <= COUNT; id++) text += `${id}\tname 😀 ${id * 7}\n`;
      const bytes = Buffer.from(text);
      // Cut where it hurts: in the middle of rows and of characters.
      const pieces = (function* () {
        for (let at = 0; at < bytes.length; at += 70_001) yield bytes.subarray(at, at + 70_001);
      })();
      expect(await copyFrom(db, FROM, Readable.from(pieces))).toMatchObject({
        affectedRows: COUNT,
      });
      expect(await read(copyTo(db, TO))).toBe(text);
      const sum = `SELECT SUM(hashtextextended(id || name, 0)) FROM dal_copy`;
      const before = await other.queryValue(sum);
      await db.transaction(async (tx) => {
        const all = await read(copyTo(tx, TO));
        await tx.execute('DELETE FROM dal_copy');
        await copyFrom(tx, FROM, all);
      });
      expect(await other.queryValue(sum)).toBe(before);
    });

    test('texts that are cut between the halves of a character', async () => {
      const [high = '', low = ''] = '😀'.split('');
      await copyFrom(db, FROM, ['1\t', high, `${low}\n2\t`, 'b', '\n']);
      expect(await read(copyTo(db, TO))).toBe('1\t😀\n2\tb\n');
    });

    test('other formats go through as they are', async () => {
      await copyFrom(db, `${FROM} (FORMAT csv)`, '1,"a,""b"""\n');
      const binary: Buffer[] = [];
      for await (const chunk of copyTo(db, 'COPY dal_copy TO STDOUT (FORMAT binary)')) {
        binary.push(chunk);
      }
      await other.execute('TRUNCATE dal_copy');
      await copyFrom(db, `${FROM} (FORMAT binary)`, binary);
      expect(await db.query('SELECT * FROM dal_copy')).toEqual([{ id: 1, name: 'a,"b"' }]);
    });

    test('an error in the middle leaves nothing, and the session takes the next', async () => {
      const pid = await pidOf();
      const rows = Array.from({ length: 50_000 }, (_, id) => `${id}\tx\n`);
      const bad: readonly [Parameters<typeof copyFrom>[2], object][] = [
        [[...rows, '7\tagain\n'], { kind: 'unique' }],
        [[...rows, 'no number\tx\n', ...rows], { kind: 'data' }],
        ['1\ta\tb\n', { kind: 'data' }],
        [[...rows, 5] as string[], { kind: 'usage', code: 'DAL_VALUE' }],
      ];
      for (const [source, error] of bad) {
        await expect(copyFrom(db, FROM, source)).rejects.toMatchObject(error);
        expect(await count()).toBe(0);
      }
      await expect(copyFrom(db, 'COPY dal_nowhere FROM STDIN', '')).rejects.toMatchObject({
        kind: 'schema',
      });
      expect(await pidOf()).toBe(pid);
    });

    test('the error of the source comes out as it went in', async () => {
      const mine = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
      const source = Readable.from(
        (async function* () {
          yield '1\ta\n';
          await sleep(1);
          throw mine;
        })(),
      );
      await expect(copyFrom(db, FROM, source)).rejects.toBe(mine);
      expect(await count()).toBe(0);
      expect(db.pool.stats()).toMatchObject({ created: 1, lent: 0, lostConnections: 0 });
    });

    test('an abort or a deadline in the middle leaves nothing', async () => {
      const pid = await pidOf();
      for (const how of ['abort', 'deadline', 'hanging']) {
        const aborter = new AbortController();
        let closed = false;
        const source = (async function* () {
          try {
            for (let id = 0; ; id++) {
              yield `${id}\t${'x'.repeat(200)}\n`;
              if (id % 1_000 === 0) await sleep(1);
              if (id === 20_000 && how === 'abort') aborter.abort();
              if (id === 2_000 && how === 'hanging') await sleep(2_500);
            }
          } finally {
            closed = true;
          }
        })();
        const options = how === 'abort' ? { signal: aborter.signal } : { timeoutMs: 300 };
        const startedAt = performance.now();
        await expect(copyFrom(db, FROM, source, options)).rejects.toMatchObject({
          kind: how === 'abort' ? 'cancelled' : 'statementTimeout',
        });
        expect(performance.now() - startedAt).toBeLessThan(1_500);
        expect(await count()).toBe(0);
        // It is the server that ended it, not the source that came to its end.
        expect(await pidOf()).toBe(pid);
        expect(performance.now() - startedAt).toBeLessThan(2_000);
        await expect.poll(() => closed, { timeout: 5_000 }).toBe(true);
      }
      expect(await pidOf()).toBe(pid);
    });

    test('the data of copyTo waits for its reader', async () => {
      let grown = 0;
      const before = process.memoryUsage().arrayBuffers;
      let chunks = 0;
      for await (const chunk of copyTo(db, LONG)) {
        expect(chunk.length).toBeLessThanOrEqual(65_536);
        if (++chunks > 5) continue;
        await sleep(100);
        grown = Math.max(grown, process.memoryUsage().arrayBuffers - before);
      }
      expect(chunks).toBeGreaterThan(900);
      expect(grown).toBeLessThan(16 * 2 ** 20);
    });

    test('leaving copyTo early stops the server; a transaction survives it', async () => {
      const pid = await pidOf();
      for (let turn = 0; turn < 20; turn++) {
        for await (const chunk of copyTo(db, LONG)) {
          if (chunk.length > 0) break;
        }
        expect(await pidOf()).toBe(pid);
      }
      await db.transaction(async (tx) => {
        await tx.execute("INSERT INTO dal_copy VALUES (1, 'a')");
        for await (const _ of copyTo(tx, LONG)) break;
        await tx.execute("INSERT INTO dal_copy VALUES (2, 'b')");
      });
      expect(await count()).toBe(2);
      const aborter = new AbortController();
      const loop = async (): Promise<void> => {
        for await (const _ of copyTo(db, LONG, { signal: aborter.signal })) aborter.abort();
      };
      await expect(loop()).rejects.toMatchObject({ kind: 'cancelled' });
      await expect(
        read(copyTo(db, 'COPY (SELECT pg_sleep(60)) TO STDOUT', { timeoutMs: 200 })),
      ).rejects.toMatchObject({ kind: 'statementTimeout' });
      expect(await pidOf()).toBe(pid);
      expect(db.pool.stats()).toMatchObject({ created: 1, lent: 0 });
    });

    test('an error of copyTo, at the start and in the middle', async () => {
      await expect(read(copyTo(db, 'COPY dal_nowhere TO STDOUT'))).rejects.toMatchObject({
        kind: 'schema',
      });
      const breaks = 'COPY (SELECT 1 / (200000 - i) FROM generate_series(1, 300000) i) TO STDOUT';
      await expect(read(copyTo(db, breaks))).rejects.toMatchObject({ kind: 'data' });
      expect(await db.queryValue('SELECT 1')).toBe(1);
    });

    test('only COPY goes this way, and COPY only this way', async () => {
      for (const text of ['SELECT 1', 'COPY dal_copy TO STDOUT', "COPY dal_copy FROM '/x'"]) {
        await expect(copyFrom(db, text, '')).rejects.toMatchObject({ code: 'DAL_STATEMENT' });
      }
      expect(() => copyTo(db, FROM)).toThrow(/TO STDOUT/);
      const tricks = 'COPY dal_copy TO STDOUT /* FROM STDIN */';
      await expect(copyFrom(db, tricks, '1\ta\n')).rejects.toMatchObject({ kind: 'usage' });
      await expect(copyFrom(db, `${FROM}; DROP TABLE dal_copy`, '')).rejects.toMatchObject({
        fault: { code: '42601' },
      });
      await expect(db.execute(FROM)).rejects.toMatchObject({ kind: 'usage' });
      expect(await db.queryValue('SELECT 1')).toBe(1);
    });

    test('a killed session ends a copy with an error, both ways', async () => {
      const killer = async function* (): AsyncGenerator<string> {
        yield '1\ta\n';
        await other.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = ?', [FROM]); // prettier-ignore
        for (;;) {
          await sleep(1);
          yield '2\tb\n';
        }
      };
      await expect(copyFrom(db, FROM, killer())).rejects.toMatchObject({
        fault: { connectionLost: true },
      });
      expect(await count()).toBe(0);
      const killed = async (): Promise<void> => {
        for await (const _ of copyTo(db, LONG)) {
          await other.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = ?', [LONG]); // prettier-ignore
        }
      };
      await expect(killed()).rejects.toMatchObject({ fault: { connectionLost: true } });
      expect(await db.queryValue('SELECT 1')).toBe(1);
      expect(db.pool.stats()).toMatchObject({ lent: 0, size: 1 });
    });

    test('bulkInsert inserts where COPY is refused: views, policies for rows', async () => {
      const rows = Array.from({ length: 2_500 }, (_, id) => ({ id, name: `v${id}` }));
      await db.connection(async (connection) => {
        await connection.begin();
        await connection.execute('CREATE VIEW dal_copy_view AS SELECT id, name FROM dal_copy');
        expect(await connection.bulkInsert('dal_copy_view', rows)).toEqual({
          affectedRows: 2_500,
        });
        await connection.execute('ALTER TABLE dal_copy ENABLE ROW LEVEL SECURITY');
        await connection.execute('CREATE POLICY few ON dal_copy USING (id < 5000)');
        // Policies don't hold for who owns the server.
        await connection.execute('CREATE ROLE dal_copy_role');
        await connection.execute('GRANT ALL ON dal_copy TO dal_copy_role');
        await connection.execute('SET LOCAL ROLE dal_copy_role');
        const more = function* (): Generator<Record<string, unknown>> {
          for (const { id, name } of rows) yield { id: id + 2_500, name };
        };
        const policied = await connection.bulkInsert('dal_copy', more());
        expect(policied).toEqual({ affectedRows: 2_500 });
        await expect(
          connection.bulkInsert('dal_copy', [{ id: 9_999, name: 'not for us' }]),
        ).rejects.toMatchObject({ fault: { code: '42501' } });
        expect(await connection.queryValue('SELECT COUNT(*) FROM dal_copy')).toBe(5_000);
        await connection.rollback();
      });
    });
  });
}
