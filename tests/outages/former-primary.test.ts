import { createDatabase } from '@dal/factory';
import type { Database } from '@dal/core';
import { startFaultProxy } from '@dal/testing/faults';
import { type Server, startServer } from '@dal/testing/servers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { readLedger, WriteLoad } from './write-load.ts';

const wanted = inject('engines').map(({ name }) => name);
const TABLE = 'former_ledger';
/** What a machine with other work may add. */
const SLACK_MS = 1_000;

// MySQL counts no changes of the primary: a former one is told by the transactions that it lacks.
test.each((['mysql', 'mariadb'] as const).filter((kind) => wanted.includes(kind)))(
  '%s: a primary that froze, was replaced and comes back gets no write, until it has followed',
  { timeout: 90_000 },
  async (kind) => {
    await using first = await startWithLog(kind, 1);
    await using second = await startWithLog(kind, 2);
    await using toSecond = await startFaultProxy({ port: second.port });
    await using rootOfFirst = await createDatabase(first.url, { pool: { max: 1 } });
    await using rootOfSecond = await createDatabase(second.url, { pool: { max: 1 } });
    await rootOfFirst.execute("CREATE USER app@'%' IDENTIFIED BY 'app'");
    await rootOfFirst.execute("GRANT ALL ON dal.* TO app@'%'");
    await rootOfFirst.execute(`CREATE TABLE ${TABLE} (op INT)`);
    await follow(kind, rootOfSecond, first, '');
    await rootOfSecond.execute('SET GLOBAL read_only = 1');
    await expect
      .poll(() => readLedger(rootOfSecond, TABLE).catch(() => undefined), { timeout: 20_000 })
      .toBeDefined();

    const hosts = `127.0.0.1:${first.port},127.0.0.1:${toSecond.port}`;
    const url = `${kind}://app:app@${hosts}/dal?target_session_attrs=read-write`;
    await using db = await createDatabase(url, { pool: { max: 4 } });
    const load = new WriteLoad(db, TABLE, 6, 20_000);
    await expect.poll(() => load.acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(20);
    expect(load.failed).toEqual([]);

    await first.freeze();
    await sleep(700);
    const place = await promote(kind, rootOfSecond);
    const promoted = performance.now();
    const next = await load.firstSince(promoted);
    // It has half a second for a last word, because nothing tells that the other one is newer.
    expect(next - promoted).toBeLessThan(1_000 + SLACK_MS);

    await first.thaw();
    // What was on the wire when it froze may arrive now.
    await sleep(300);
    const old = await readLedger(rootOfFirst, TABLE);
    // The new one goes away for a while, and the old one says that it takes writes.
    await toSecond.down();
    const away = performance.now();
    await sleep(1_500);
    expect(await rootOfFirst.queryValue('SELECT @@read_only')).toBe(0);
    expect(load.acknowledged.filter(({ at }) => at > away + 200)).toEqual([]);
    await toSecond.up();
    const back = performance.now();
    expect((await load.firstSince(back)) - back).toBeLessThan(1_000 + SLACK_MS);
    expect((await readLedger(rootOfFirst, TABLE)).rows).toBe(old.rows);

    // It follows the new one, and then it is its turn again.
    await follow(kind, rootOfFirst, second, place);
    await rootOfFirst.execute('SET GLOBAL read_only = 1');
    await rootOfSecond.execute('SET GLOBAL read_only = 1');
    const rows = (await readLedger(rootOfSecond, TABLE)).rows;
    await expect
      .poll(async () => (await readLedger(rootOfFirst, TABLE)).rows, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(rows);
    await promote(kind, rootOfFirst);
    const again = performance.now();
    expect((await load.firstSince(again)) - again).toBeLessThan(1_000 + SLACK_MS);
    await load.stop();
    const { ops } = await readLedger(rootOfFirst, TABLE);
    expect(load.acknowledged.filter(({ op }) => !ops.has(op))).toEqual([]);
  },
);

function startWithLog(kind: 'mysql' | 'mariadb', id: number): Promise<Server> {
  const settings = kind === 'mysql' ? { gtid_mode: 'ON', enforce_gtid_consistency: 'ON' } : {};
  return startServer(kind, { own: true, settings: { server_id: id, log_bin: 'log', ...settings } });
}

/** @param place where the server is in the other one's history, for MariaDB */
async function follow(
  kind: 'mysql' | 'mariadb',
  root: Database,
  { port, user, password }: Server,
  place: string,
): Promise<void> {
  if (kind === 'mysql') {
    await root.execute(
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${port}, SOURCE_USER = '${user}', SOURCE_PASSWORD = '${password}', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`,
    );
    await root.execute('START REPLICA');
  } else {
    await root.execute(`SET GLOBAL gtid_slave_pos = '${place}'`);
    await root.execute(
      `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = '${user}', MASTER_PASSWORD = '${password}', MASTER_USE_GTID = slave_pos, MASTER_SSL = 0`,
    );
    await root.execute('START SLAVE');
  }
}

/** @returns where it was in the history of the one that it followed, for MariaDB */
async function promote(kind: 'mysql' | 'mariadb', root: Database): Promise<string> {
  await root.execute(kind === 'mysql' ? 'STOP REPLICA' : 'STOP SLAVE');
  const place =
    kind === 'mysql' ? '' : ((await root.queryValue<string>('SELECT @@gtid_slave_pos')) ?? '');
  await root.execute('SET GLOBAL read_only = 0');
  return place;
}
