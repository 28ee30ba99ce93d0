// The two hosts are two ways to one server, so that a failover costs no second server here; how the
// standby of a real pair is found and believed is proven in tests/outages.
import { createDatabase } from '@dal/factory';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { expect, inject, test } from 'vitest';
import { ownDatabase } from './own-database.ts';
import { Program, until } from './program.ts';

const engines = inject('engines').filter(({ name }) => name === 'postgres' || name === 'mysql');

test.concurrent.each(engines)(
  'failover on $name: writes go on, none is doubled',
  { timeout: 60_000 },
  async (engine) => {
    await using own = await ownDatabase(engine, 'failover');
    const { url } = own;
    await using other = await createDatabase(url, { pool: { max: 1 } });
    await other.execute('CREATE TABLE failover_entries (entry VARCHAR(20))');
    const target = { port: Number(new URL(url).port) };
    await using first = await startFaultProxy(target);
    await using second = await startFaultProxy(target);

    await using program = new Program('failover', { DATABASE_URL: bothHosts(url, first, second) });
    await program.line(/^writing$/);
    // Both would do, so the one that was faster to answer has all connections.
    const [left, next] = first.counts.open > second.counts.open ? [first, second] : [second, first];
    await left.down();
    await program.line(
      new RegExp(`^writes go from 127.0.0.1:${left.port} to 127.0.0.1:${next.port}$`),
    );
    const count = async (): Promise<number> =>
      Number(await other.queryValue('SELECT COUNT(*) FROM failover_entries'));
    const before = await count();
    await until(async () => (await count()) > before + 20);
    program.process.kill('SIGTERM');

    const { lines, stderr, code } = await program.ended();
    expect([code, stderr]).toEqual([0, '']);
    const { acknowledged, unknown, slowestMs } = JSON.parse(lines.at(-1) ?? '') as Seen;
    // Of four writers each had one write on the wire at the most.
    expect(unknown).toBeLessThanOrEqual(4);
    const rows = await count();
    expect(rows).toBeGreaterThanOrEqual(acknowledged);
    expect(rows).toBeLessThanOrEqual(acknowledged + unknown);
    expect(
      Number(await other.queryValue('SELECT COUNT(DISTINCT entry) FROM failover_entries')),
    ).toBe(rows);
    expect(slowestMs).toBeLessThan(10_000);
  },
);

interface Seen {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly slowestMs: number;
}

function bothHosts(url: string, ...proxies: readonly FaultProxy[]): string {
  const hosts = proxies.map(({ host, port }) => `${host}:${port}`).join(',');
  return `${url.replace(/@[^/]*/, `@${hosts}`)}?target_session_attrs=read-write`;
}
