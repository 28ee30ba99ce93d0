import { createDatabase } from '@dal/factory';
import type { Database } from '@dal/core';
import { type Server, startServer } from '@dal/testing/servers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { readLedger, WriteLoad } from './write-load.ts';

const wanted = inject('engines').map(({ name }) => name);
const TABLE = 'flip_ledger';
/** How late this process may learn what the server has said. */
const LATE_MS = 200;
/** What a machine with other work may add. */
const SLACK_MS = 1_000;

// Two servers that know nothing of each other: what counts is where writes go, and when.
test.each((['mysql', 'mariadb'] as const).filter((kind) => wanted.includes(kind)))(
  '%s: the primary becomes read-only and another one writable: writes follow',
  { timeout: 90_000 },
  async (kind) => {
    await using first = await startServer(kind, { own: true });
    await using second = await startServer(kind, { own: true });
    await using rootOfFirst = await openAs(first);
    await using rootOfSecond = await openAs(second);
    for (const root of [rootOfFirst, rootOfSecond]) {
      // A user who may write to a read-only server would prove nothing.
      await root.execute("CREATE USER app@'%' IDENTIFIED BY 'app'");
      await root.execute("GRANT ALL ON dal.* TO app@'%'");
      await root.execute(`CREATE TABLE ${TABLE} (op INT)`);
    }
    await rootOfSecond.execute('SET GLOBAL read_only = 1');
    const url = `${kind}://app:app@${first.host}:${first.port},${second.host}:${second.port}/dal?target_session_attrs=read-write`;
    await using db = await createDatabase(url, { pool: { max: 5 } });

    const load = new WriteLoad(db, TABLE, 8, 8_000);
    await expect.poll(() => load.acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(10);
    await rootOfFirst.execute('SET GLOBAL read_only = 1');
    const refusing = performance.now();
    await sleep(LATE_MS + 300);
    // Those that were refused in the middle of this wait for the other one.
    expect(load.acknowledged.filter(({ at }) => at > refusing + LATE_MS)).toEqual([]);
    const old = await readLedger(rootOfFirst, TABLE);
    await rootOfSecond.execute('SET GLOBAL read_only = 0');
    const writable = performance.now();
    const next = await load.firstSince(writable);
    await sleep(300);

    // Back again, to the server that was demoted.
    await rootOfSecond.execute('SET GLOBAL read_only = 1');
    await rootOfFirst.execute('SET GLOBAL read_only = 0');
    const again = performance.now();
    const last = await load.firstSince(again);
    await sleep(100);
    await load.stop();
    expect(next - writable).toBeLessThan(500 + SLACK_MS);
    expect(last - again).toBeLessThan(500 + SLACK_MS);

    // Refused writes did nothing anywhere, and were made once, later.
    expect(load.failed).toEqual([]);
    const [here, there] = [
      await readLedger(rootOfFirst, TABLE),
      await readLedger(rootOfSecond, TABLE),
    ];
    expect(here.rows + there.rows).toBe(new Set([...here.ops, ...there.ops]).size);
    expect(here.rows + there.rows).toBe(load.acknowledged.length);
    expect(there.rows).toBeGreaterThan(0);
    expect(here.rows).toBeGreaterThan(old.rows);

    // The demoted server is not asked for writes, and a whole transaction follows as well.
    await rootOfFirst.execute('SET GLOBAL read_only = 1');
    await rootOfSecond.execute('SET GLOBAL read_only = 0');
    await db.transaction((tx) => tx.execute(`INSERT INTO ${TABLE} (op) VALUES (-1)`), {
      retries: 3,
    });
    expect((await readLedger(rootOfSecond, TABLE)).ops.has(-1)).toBe(true);
  },
);

function openAs(server: Server): Promise<Database> {
  return createDatabase(server.url, { pool: { max: 1 } });
}
