import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connect, open, run } from './sessions.ts';

const MILLION =
  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000) SELECT x, 'row number ' || x AS word FROM c";

test.each(['inline', 'process'] as const)(
  '%s: a million rows need no room',
  async (runsIn) => {
    const db = open({ runsIn });
    let rows = 0;
    let sum = 0;
    let most = 0;
    let first = 0;
    for await (const batch of db.stream<{ x: number; word: string }>(MILLION)) {
      rows += batch.length;
      for (const { x } of batch) sum += x;
      const { rss } = process.memoryUsage();
      // What the first part needs is there for all: buffers, compiled code, a heap that has grown.
      if (rows <= 200_000) first = Math.max(first, rss);
      else most = Math.max(most, rss);
    }
    expect(rows).toBe(1_000_000);
    expect(sum).toBe(500_000_500_000);
    // All of them at once take about 150 MiB; when the heap is swept is up to V8.
    expect((most - first) / 2 ** 20).toBeLessThan(75);
  },
  120_000,
);

test('leaving early 300 times leaves nothing behind', async () => {
  for (const runsIn of ['inline', 'process'] as const) {
    const db = open({ runsIn, pool: { max: 2 } });
    const session = await connect({ runsIn });
    for (let turn = 0; turn < 300; turn++) {
      for await (const batch of db.stream(MILLION, [], { batchSize: 20 })) {
        expect(batch).toHaveLength(20);
        break;
      }
    }
    expect(db.pool.stats()).toMatchObject({ lent: 0, waiting: 0, destroyed: 0 });
    // An iterator that was left open would refuse this.
    await db.execute('CREATE TABLE t (n INTEGER)');
    const text = MILLION;
    for (let turn = 0; turn < 20; turn++) {
      for await (const batch of session.stream?.({ text, values: [] }, 20) ?? []) {
        expect(batch).toHaveLength(20);
        break;
      }
    }
    await run(session, 'CREATE TABLE t (n INTEGER)');
    if (process.platform === 'linux' && runsIn === 'process') {
      const before = readdirSync(`/proc/${session.raw.pid}/fd`).length;
      for await (const _ of session.stream?.({ text, values: [] }, 20) ?? []) break;
      expect(readdirSync(`/proc/${session.raw.pid}/fd`)).toHaveLength(before);
    }
  }
}, 60_000);
