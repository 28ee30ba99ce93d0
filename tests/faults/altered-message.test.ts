import { type Database, isDalError } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { expect, inject, test } from 'vitest';

const servers = inject('engines').flatMap(({ name, url }) =>
  name === 'sqlite' ? [] : [{ name, url }],
);

/** A damaged length makes the driver wait for bytes that never come, so some work side by side. */
const LANES = 24;
const RIGHT = [{ seven: 7, word: 'word' }];

/**
 * One byte of the server's answer is damaged: the kind of a message, its length, or what it says. A
 * value may arrive as another one, which no protocol notices. Whatever is noticed is a typed error,
 * within the deadline, and the next statement gets the right rows.
 */
test.each(servers)(
  '$name: an altered byte ends in rows or in a typed error, and the session is replaced',
  { timeout: 90_000 },
  async ({ name, url }) => {
    const outcomes = new Map<number, Outcome>();
    const lengths = await Promise.all(
      Array.from({ length: LANES }, (_, lane) => alterLane(url, lane, outcomes)),
    );
    const said = [...outcomes.values()];
    const errors = said.filter(({ error }) => error !== undefined);
    console.log(
      `${name}: ${said.length} bytes altered, ${errors.length} errors, ${said.filter(({ replaced }) => replaced).length} sessions replaced, at the latest after ${Math.max(...said.map(({ tookMs }) => Math.round(tookMs)))} ms`,
    );
    expect(said.length).toBe(lengths[0]);
    for (const [afterBytes, { error, tookMs, replaced, next }] of outcomes) {
      const place = `byte ${afterBytes}: ${String(error)}`;
      if (error !== undefined) expect([isDalError(error), replaced], place).toEqual([true, true]);
      expect(tookMs, place).toBeLessThan(TIMEOUT_MS + 600);
      expect(next, `after ${place}`).toEqual(RIGHT);
    }
    // The kind, or the length, of the first message: no answer begins like that.
    expect(outcomes.get(0)).toMatchObject({ replaced: true, error: expect.anything() as unknown });
    expect(errors.length).toBeGreaterThan(5);
  },
);

interface Outcome {
  readonly error: unknown;
  readonly tookMs: number;
  readonly replaced: boolean;
  /** What the next statement on the same database got. */
  readonly next: unknown;
}

const TIMEOUT_MS = 400;

async function alterLane(
  url: string,
  lane: number,
  outcomes: Map<number, Outcome>,
): Promise<number> {
  await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
  await using db = await createDatabase(proxy.through(url), {
    pool: { max: 1 },
    // Under TLS every byte would be noticed, and none of them by the driver.
    tls: 'disable',
    retry: { maxRetries: 0 },
  });
  // Three times, so that the statement has got its name and its answer the usual length.
  for (let turn = 0; turn < 3; turn++) expect(await ask(db)).toEqual(RIGHT);
  const bytesBefore = proxy.counts.bytesDown;
  await ask(db);
  const length = proxy.counts.bytesDown - bytesBefore;
  for (let afterBytes = lane; afterBytes < length; afterBytes += LANES) {
    outcomes.set(afterBytes, await alterOne(proxy, db, afterBytes));
  }
  return length;
}

async function alterOne(proxy: FaultProxy, db: Database, afterBytes: number): Promise<Outcome> {
  const { accepted } = proxy.counts;
  const { created } = db.pool.stats();
  proxy.set({ alter: 'down', afterBytes });
  const began = performance.now();
  const error: unknown = await ask(db).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const tookMs = performance.now() - began;
  proxy.set('pass');
  // A session that doesn't answer any more is given two seconds to settle before it is cut.
  await expect.poll(() => ask(db), { timeout: 10_000 }).toEqual(RIGHT);
  // Once more, so that a statement which lost its name has it again, and its answer the same length.
  const next = await ask(db);
  const replaced = proxy.counts.accepted > accepted && db.pool.stats().created > created;
  return { error, tookMs, replaced, next };
}

function ask(db: Database): Promise<unknown> {
  return db.query("SELECT 7 AS seven, 'word' AS word", [], { timeoutMs: TIMEOUT_MS });
}
