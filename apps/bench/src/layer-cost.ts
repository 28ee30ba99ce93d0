import type { Database, DriverConnection } from '@dal/core';
import { openDatabase } from '@dal/database';
import { interleave, quartiles, type Quartiles } from './rounds.ts';
import { stillDriver } from './still-driver.ts';

/** What the layer itself takes for a statement, in microseconds of processor time. */
export interface LayerCost {
  readonly callers: number;
  readonly rounds: number;
  readonly us: Readonly<Record<string, Quartiles>>;
}

const TEXT = 'SELECT id, name, email, visits FROM visitors WHERE id = ?';
/** The clock of processor time is coarse, and the machine has others to serve. */
const CALLS = 4_000;

/**
 * Statements over a driver that does nothing, less the same calls of the driver alone. What is left
 * is all that happens between `db.query` and the driver: compiling, pool, deadline, errors.
 */
export async function layerCost(callers: number, rounds: number): Promise<LayerCost> {
  await using db = openDatabase(stillDriver, {}, { pool: { max: 20 } });
  const session = await stillDriver.connect({}, () => undefined);
  const alone = callAlone(session);
  const ours: Readonly<Record<string, (id: number) => Promise<unknown>>> = {
    'db.query': (id) => db.query(TEXT, [id]),
    'db.queryOne': (id) => db.queryOne(TEXT, [id]),
    'db.query with a signal': queryWithSignal(db),
    'db.query with tags': (id) => db.query(TEXT, [id], { tags: { route: 'bench' } }),
  };
  const all = [alone, ...Object.values(ours)];
  const slice = (call: (id: number) => Promise<unknown>): Promise<number> => cpuUs(call, callers);
  await interleave(all, 3, slice);
  const measured = await interleave(all, rounds, slice);
  const floor = measured.get(alone)!;
  const us = Object.entries(ours).map(([name, call]): [string, Quartiles] => [
    name,
    quartiles(measured.get(call)!.map((value, round) => value - floor[round]!)),
  ]);
  return { callers, rounds, us: Object.fromEntries(us) };
}

function callAlone(session: DriverConnection): (id: number) => Promise<unknown> {
  return async (id) => (await session.query({ text: TEXT, values: [id] })).rows;
}

function queryWithSignal(db: Database): (id: number) => Promise<unknown> {
  const { signal } = new AbortController();
  return (id) => db.query(TEXT, [id], { signal });
}

async function cpuUs(call: (id: number) => Promise<unknown>, callers: number): Promise<number> {
  const each = Math.ceil(CALLS / callers);
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let id = 0; id < each; id++) await call(id);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (each * callers);
}
