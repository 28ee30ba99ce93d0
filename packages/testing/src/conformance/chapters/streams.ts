import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { json, type Row } from '@dal/core';
import type { Chapter } from '../chapter.ts';
import { refusal, within } from '../expectations.ts';

/** Many rows in little memory; leaving early costs nobody anything. */
export const streams: Chapter = {
  name: 'streams',
  tests: {
    async 'every row comes, in order, in batches of about the size asked for'(stage) {
      const table = await stage.numbers(1_050);
      const ids: unknown[] = [];
      let batchCount = 0;
      const text = `SELECT id FROM ${table} WHERE id >= ? ORDER BY id`;
      for await (const batch of stage.db.stream(text, [1], { batchSize: 100 })) {
        assert.ok(batch.length > 0 && batch.length <= 200, `${batch.length} rows in a batch`);
        batchCount++;
        ids.push(...batch.map((row) => row['id']));
      }
      assert.deepEqual(
        ids,
        Array.from({ length: 1_050 }, (_, index) => index + 1),
      );
      assert.ok(batchCount >= 6, `${batchCount} batches`);
    },

    async 'a stream of no rows ends at once'(stage) {
      const table = await stage.numbers(0);
      assert.deepEqual(await all(stage.db.stream(`SELECT id FROM ${table}`)), []);
    },

    async 'a stream holds the same values as a query'(stage) {
      const { bigint, decimal, boolean, timestamp, bytes, date } = stage.types;
      const table = await stage.table(
        `b ${bigint}, n ${decimal}, f ${boolean}, t ${timestamp}, y ${bytes}, a ${date}, ` +
          `j ${stage.types.json}`,
      );
      await stage.db.execute(`INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?)`, [
        2n ** 53n + 1n,
        '12345678901234567890.5',
        false,
        new Date('2024-02-29T12:34:56.789Z'),
        Buffer.from([0, 255]),
        '1899-12-31',
        json({ a: [null] }),
      ]);
      const text = `SELECT * FROM ${table}`;
      const [row] = await stage.db.query(text);
      assert.deepEqual(await all(stage.db.stream(text)), [row]);
      const [array] = await all(stage.db.stream<unknown[]>(text, [], { rowMode: 'array' }));
      assert.deepEqual(array, Object.values(row ?? {}));
    },

    async 'leaving early frees the connection'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(1_000);
      for (let turn = 0; turn < 3; turn++) {
        await within(5_000, 'leaving a stream', async () => {
          for await (const batch of stage.db.stream(bigResult(table), [], { batchSize: 50 })) {
            assert.ok(batch.length > 0);
            assert.equal(stage.db.pool.stats().lent, 1);
            break;
          }
        });
        assert.equal(stage.db.pool.stats().lent, 0);
        await within(3_000, 'the next statement', async () => {
          assert.equal(await stage.count(table), 1_000);
        });
      }
    },

    async 'a consumer that throws frees the connection'(stage) {
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(500);
      const consume = async (): Promise<void> => {
        for await (const _ of stage.db.stream(`SELECT id FROM ${table}`, [], { batchSize: 10 })) {
          throw new Error('mine');
        }
      };
      await assert.rejects(consume(), /mine/);
      assert.equal(stage.db.pool.stats().lent, 0);
      assert.equal(await stage.count(table), 500);
    },

    async 'a session is free again after its stream was left'(stage) {
      const session = await stage.session();
      if (!session.stream) return stage.skip('sessions have no stream()');
      const table = await stage.numbers(200);
      if (stage.watch.isPrivate()) return stage.skip('the data lives in one session');
      const stream = session.stream({ text: bigResult(table), values: [] }, 20);
      for await (const batch of stream) {
        assert.ok(batch.length > 0);
        break;
      }
      const { rows } = await within(3_000, 'the next statement', () =>
        session.query({ text: 'SELECT 1 AS one', values: [] }),
      );
      assert.deepEqual({ ...(rows[0] as Row) }, { one: 1 });
    },

    async 'a slow consumer holds the server back'(stage) {
      if (!(await stage.members()).has('stream')) return stage.skip('sessions have no stream()');
      const table = await stage.numbers(1_000, 'x'.repeat(200));
      let grownMb = 0;
      let batchCount = 0;
      // A million rows of 200 characters: some 300 MB if they were all fetched.
      const before = memoryMb();
      for await (const _ of stage.db.stream(bigResult(table), [], { batchSize: 100 })) {
        await sleep(300);
        grownMb = Math.max(grownMb, memoryMb() - before);
        if (++batchCount === 4) break;
      }
      assert.ok(grownMb < 100, `memory grew by ${Math.round(grownMb)} MB`);
    },

    async 'an error at the start comes out of the loop'(stage) {
      stage.useDatabase({ max: 1 });
      const error = await refusal(() => all(stage.db.stream('SELECT * FROM dal_no_such_table')));
      assert.equal(error.kind, 'schema');
      assert.equal(stage.db.pool.stats().lent, 0);
      assert.equal(await stage.db.queryValue('SELECT 1'), 1);
    },

    async 'an error in the middle is never a short success'(stage) {
      stage.useDatabase({ max: 1 });
      const { integer, bigint } = stage.types;
      const table = await stage.table(`id ${integer} NOT NULL PRIMARY KEY, v ${bigint}`);
      const rows = Array.from({ length: 600 }, (_, id) => [id, id === 500 ? -(2n ** 63n) : id]);
      await stage.db.executeMany(`INSERT INTO ${table} (id, v) VALUES (?, ?)`, rows);
      // The smallest whole number has no absolute value of its own type.
      const error = await refusal(() =>
        all(stage.db.stream(`SELECT id, ABS(v) FROM ${table}`, [], { batchSize: 50 })),
      );
      assert.notEqual(error.cause, undefined);
      assert.equal(stage.db.pool.stats().lent, 0);
      assert.equal(await stage.count(table), 600);
    },

    async 'an abort ends a stream'(stage) {
      await stage.needsDataAfterStop();
      stage.useDatabase({ max: 1 });
      const table = await stage.numbers(1_000);
      const aborter = new AbortController();
      const { signal } = aborter;
      const error = await refusal(() =>
        within(5_000, 'the aborted stream', async () => {
          for await (const _ of stage.db.stream(bigResult(table), [], { batchSize: 20, signal })) {
            aborter.abort();
          }
        }),
      );
      assert.equal(error.kind, 'cancelled');
      assert.equal(stage.db.pool.stats().lent, 0);
      assert.equal(await stage.count(table), 1_000);
    },

    async 'a stream inside a transaction sees what the transaction wrote'(stage) {
      const table = await stage.numbers(100);
      await stage.db.transaction(async (tx) => {
        await tx.execute(`INSERT INTO ${table} (id) VALUES (?)`, [101]);
        const text = `SELECT id FROM ${table}`;
        assert.equal((await all(tx.stream(text, [], { batchSize: 10 }))).length, 101);
        for await (const _ of tx.stream(text, [], { batchSize: 10 })) break;
        await tx.execute(`INSERT INTO ${table} (id) VALUES (?)`, [102]);
      });
      assert.equal(await stage.count(table), 102);
    },

    async 'several streams at a time keep apart'(stage) {
      const table = await stage.numbers(400);
      const lists = await within(15_000, 'three streams', () =>
        Promise.all(
          [1, 2, 3].map((step) =>
            all(
              stage.db.stream(`SELECT id FROM ${table} WHERE id <= ? ORDER BY id`, [step * 100], {
                batchSize: 30,
              }),
            ),
          ),
        ),
      );
      assert.deepEqual(
        lists.map((list) => list.length),
        [100, 200, 300],
      );
    },
  },
};

/** The square of the table's rows. */
function bigResult(table: string): string {
  return `SELECT a.id, b.v FROM ${table} a, ${table} b`;
}

async function all<R>(stream: AsyncIterable<R[]>): Promise<R[]> {
  const rows: R[] = [];
  for await (const batch of stream) rows.push(...batch);
  return rows;
}

function memoryMb(): number {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}
