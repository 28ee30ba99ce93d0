import { createDatabase } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';

const servers = inject('engines').filter(({ name }) => name !== 'sqlite');
/** What a machine with other work may add. */
const SLACK_MS = 400;

test.each(servers)(
  '$name: nothing is left of connects that are under way, alone and with several hosts',
  { timeout: 30_000 },
  async ({ url }) => {
    await using first = await startFaultProxy({ port: Number(new URL(url).port) });
    await using second = await startFaultProxy({ port: Number(new URL(url).port) });
    const alone = first.through(url);
    const both = alone.replace(/@[^/]*/, `@127.0.0.1:${first.port},127.0.0.1:${second.port}`);
    const before = resources();
    for (const address of [alone, `${both}?target_session_attrs=read-write`]) {
      first.set('accept-silent');
      second.set('accept-silent');
      for (const options of [{}, { force: true }]) {
        const db = await createDatabase(address, { pool: { max: 3 } });
        const asked = Promise.all(
          Array.from({ length: 6 }, () => db.query('SELECT 1').catch((error) => error.code)),
        );
        // Long enough for the second host to be tried as well.
        await sleep(400);
        expect(first.counts.open).toBeGreaterThan(0);
        const began = performance.now();
        await db.close(options);
        expect(performance.now() - began).toBeLessThan(SLACK_MS);
        expect(new Set(await asked)).toEqual(new Set(['DAL_CLOSED']));
        await expect.poll(() => first.counts.open + second.counts.open).toBe(0);
      }

      // In the middle of the login, of the question for the role or for the places, or of the query.
      first.set({ latencyMs: 15 });
      second.set({ latencyMs: 15 });
      for (let afterMs = 5; afterMs < 300; afterMs += 59) {
        const db = await createDatabase(address, { pool: { max: 3 } });
        const asked = db.query('SELECT 1').catch((error) => error.code);
        await sleep(afterMs);
        const began = performance.now();
        await db.close({ timeoutMs: 10_000 });
        expect(performance.now() - began).toBeLessThan(SLACK_MS);
        expect([[{ '1': 1 }], [{ '?column?': 1 }], 'DAL_CLOSED']).toContainEqual(await asked);
        await expect.poll(() => first.counts.open + second.counts.open).toBe(0);
      }
    }
    await expect.poll(resources, { timeout: 3_000 }).toBeLessThanOrEqual(before);
  },
);

function resources(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name)).length;
}
