import { compare, type Comparison, type Measure } from './comparison.ts';
import type { Contender } from './contender.ts';
import { openStage, type Stage } from './engine-stage.ts';
import type { Arguments, EngineName } from './read-arguments.ts';
import { interleave } from './rounds.ts';
import { type Visitor, visitors } from './rows.ts';
import { expectedSum } from './stream-sum.ts';

/** Many rows into an empty table, all or nothing. The table is emptied while no clock runs. */
export async function* bulk(
  engine: EngineName,
  { rounds, rows: count }: Arguments,
): AsyncGenerator<Comparison> {
  await using stage = await openStage(engine, ['bulk']);
  const rows = visitors(count);
  const taking = stage.contenders.filter((contender) => contender.bulk);
  const few = rows.slice(0, 2_000);
  for (const contender of taking) await load(stage, contender, few);
  const measured = await interleave(taking, rounds, (one) => load(stage, one, rows));
  const { versions } = stage;
  yield compare({ engine, versions, task: 'bulk', callers: 1, rows: count }, measured);
}

async function load(
  { db, tables, clear }: Stage,
  contender: Contender,
  rows: readonly Visitor[],
): Promise<Measure> {
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await contender.bulk!(rows);
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  const found = await db.query<Record<string, unknown>>(
    `SELECT COUNT(*) AS c, SUM(visits) AS s, COUNT(DISTINCT name) AS n FROM ${tables.bulk}`,
  );
  const { c, s, n } = found[0] ?? {};
  const wanted = expectedSum(rows.length);
  if (Number(c) !== wanted.rows || Number(s) !== wanted.sum || Number(n) !== wanted.rows) {
    throw new Error(`${contender.name} loaded ${String(c)} of ${wanted.rows} rows, or other ones.`);
  }
  await clear(tables.bulk);
  return {
    perSecond: (rows.length * 1_000) / tookMs,
    cpuUs: (user + system) / rows.length,
  };
}
