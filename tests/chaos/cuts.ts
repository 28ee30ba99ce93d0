import type { Database } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import type { Told } from './client.ts';
import { told } from './dal-client.ts';

export interface CutReport {
  readonly cuts: number;
  /** How often each thing was told, by kind of operation. */
  readonly told: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

const INSERT = 'INSERT INTO chaos_cuts (op) VALUES (?)';

const operations = {
  async statement(db: Database, op: string, timeoutMs: number): Promise<Told> {
    return told('statement', db.execute(INSERT, [op], { timeoutMs }));
  },
  async transaction(db: Database, op: string, timeoutMs: number): Promise<Told> {
    return told(
      'transaction',
      db.transaction(
        async (tx) => {
          await tx.execute(INSERT, [op]);
          await tx.execute(INSERT, [`${op}+`]);
        },
        { timeoutMs },
      ),
    );
  },
};
type Operation = keyof typeof operations;
/** The line is reset, one direction of it ends, or nothing arrives any more. */
export type CutHow = 'reset' | 'end' | 'stall';

/** What is stalled ends by its deadline alone; nothing else should need it. */
const timeouts: Readonly<Record<CutHow, number>> = { reset: 5_000, end: 5_000, stall: 150 };

const LANES = 4;

/**
 * Cuts the line after each number of bytes, in both directions, of a statement and of a transaction
 * with all its words. The rows must be what the callers were told.
 */
export async function cutEverywhere(
  url: string,
  how: CutHow,
  cutsWanted: number,
): Promise<CutReport> {
  await using direct = await createDatabase(url, { name: 'direct' });
  await direct.execute('DROP TABLE IF EXISTS chaos_cuts');
  await direct.execute('CREATE TABLE chaos_cuts (op varchar(40) NOT NULL)');
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    cutLane(url, how, lane, Math.ceil(cutsWanted / LANES)),
  );
  const said = new Map((await Promise.all(lanes)).flatMap((lane) => [...lane]));
  const rows = await direct.query<{ op: string }>('SELECT op FROM chaos_cuts');
  const found = new Map<string, number>();
  for (const { op } of rows) found.set(op, (found.get(op) ?? 0) + 1);
  await direct.execute('DROP TABLE chaos_cuts');

  const counts: Record<string, number> = {};
  const violations: string[] = [];
  for (const [op, outcome] of said) {
    const [kind] = op.split(' ');
    const key = `${kind}: ${outcome}`;
    counts[key] = (counts[key] ?? 0) + 1;
    const there = found.get(op) ?? 0;
    const second = kind === 'transaction' ? (found.get(`${op}+`) ?? 0) : there;
    if (there !== second) violations.push(`${op}: half of it is there`);
    if (there > 1) violations.push(`${op}: done ${there} times`);
    if (outcome === 'acknowledged' && there === 0)
      violations.push(`${op}: acknowledged, not there`);
    if (outcome === 'nothing' && there > 0) violations.push(`${op}: denied, and there`);
  }
  return { cuts: said.size, told: counts, violations };
}

async function cutLane(
  url: string,
  how: CutHow,
  lane: number,
  cuts: number,
): Promise<Map<string, Told>> {
  await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
  const commits = url.startsWith('postgres:') ? {} : { commitTable: 'chaos_commits' };
  await using db = await createDatabase(proxy.through(url), { pool: { max: 1 }, ...commits });
  const said = new Map<string, Told>();
  const plans = await Promise.all(
    (['statement', 'transaction'] as const).map(async (kind) => ({
      kind,
      bytes: await measure(proxy, db, kind, `${kind} warm-up ${lane}`),
    })),
  );
  // Lanes take turns in the positions, so that together they try them all.
  for (let cut = lane; said.size < cuts; cut += LANES) {
    for (const { kind, bytes } of plans) {
      for (const direction of ['up', 'down'] as const) {
        // Few cuts are spread over all positions, many take one after the other.
        const afterBytes = (cut * stride(bytes[direction], cuts)) % (bytes[direction] + 1);
        const op = `${kind} ${direction} ${afterBytes} ${cut}`;
        await db.query('SELECT 1', [], { idempotent: true });
        proxy.set({ cut: direction, afterBytes, how });
        said.set(op, await outcomeOf(operations[kind](db, op, timeouts[how]), proxy, how));
        proxy.set('pass');
        // What was held back is lost for good, as on a line that never comes back.
        if (how === 'stall') proxy.resetAll();
      }
    }
  }
  return said;
}

/** A prime apart, so that neighbouring cuts fall into different parts of the exchange. */
function stride(bytes: number, cuts: number): number {
  return cuts * LANES > 4 * bytes ? 1 : 7;
}

/** The line is whole again soon after the cut: what looks up an outcome must find it so. */
async function outcomeOf(running: Promise<Told>, proxy: FaultProxy, how: CutHow): Promise<Told> {
  const timer = setTimeout(() => proxy.set('pass'), how === 'stall' ? 400 : 15);
  try {
    return await running;
  } finally {
    clearTimeout(timer);
  }
}

async function measure(
  proxy: FaultProxy,
  db: Database,
  kind: Operation,
  op: string,
): Promise<{ up: number; down: number }> {
  // Once to prepare what gets prepared, and once to count.
  const { reset: timeoutMs } = timeouts;
  for (let round = 0; round < 3; round++) await operations[kind](db, `${op} ${round}`, timeoutMs);
  const before = proxy.counts;
  await operations[kind](db, `${op} 3`, timeoutMs);
  const after = proxy.counts;
  // After a cut the session is a new one, which has to learn and prepare before it can do the same.
  const asNew = 2.5;
  return {
    up: Math.ceil((after.bytesUp - before.bytesUp) * asNew),
    down: Math.ceil((after.bytesDown - before.bytesDown) * asNew),
  };
}
