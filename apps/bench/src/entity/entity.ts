import { equal } from 'node:assert/strict';
import type { Measure } from '../comparison.ts';
import type { Arguments } from '../read-arguments.ts';
import { interleave, quartiles, type Quartiles, ratios } from '../rounds.ts';
import { slice } from '../slice.ts';
import { dalEntities, dalWithoutHistory } from './dal-entities.ts';
import {
  ENTITY_ENGINES,
  type EntityContender,
  type EntityEngine,
  people,
  type Person,
} from './entity-contender.ts';
import { ENTITY_TASKS, entityRun, type EntityTask } from './entity-runs.ts';
import { type EntityStage, openEntityStage } from './entity-stage.ts';
import { mikroOrmFlush, mikroOrmNative } from './mikro-orm-entities.ts';
import { prismaEntities } from './prisma-entities.ts';
import { sequelizeEntities, sequelizeTemporal } from './sequelize-entities.ts';
import { showEntity } from './show-entity.ts';
import { typeormInsert, typeormSave } from './typeorm-entities.ts';

/** What `--json` prints of entities. */
export interface EntityFigures {
  readonly comparisons: readonly EntityComparison[];
  readonly aims: readonly EntityVerdict[];
}

/** Everybody at one verb. */
export interface EntityComparison {
  readonly engine: EntityEngine;
  readonly versions: string;
  readonly task: EntityTask | 'saveMany';
  readonly callers: number;
  /** Of `saveMany`. */
  readonly rows?: number;
  readonly rounds: number;
  readonly contenders: readonly EntityResult[];
}

export interface EntityResult {
  readonly name: string;
  readonly history: EntityContender['history'];
  /** Calls, or entities of `saveMany`. */
  readonly perSecond: Quartiles;
  /** Processor time of this process, for a call or an entity. */
  readonly cpuUs: Quartiles;
  /** DAL's speed divided by this one's, round by round. */
  readonly dalSpeed: Quartiles;
  /** DAL's processor time divided by this one's. */
  readonly dalCpu: Quartiles;
}

export interface EntityVerdict {
  readonly aim: string;
  readonly got: Quartiles;
  /** `close`: the median misses it, the better quartile doesn't. */
  readonly verdict: 'met' | 'close' | 'missed';
}

const contenders = [
  dalEntities,
  dalWithoutHistory,
  sequelizeEntities,
  sequelizeTemporal,
  typeormSave,
  typeormInsert,
  mikroOrmFlush,
  mikroOrmNative,
  prismaEntities,
] as const;

const WARM_UP_SLICES = 4;
/** Loads take long. */
const MOST_LOADS = 9;

/** DAL's entities beside the libraries that map objects to tables. */
export async function entity(
  options: Arguments,
  say: (text: string) => void,
): Promise<EntityFigures> {
  const comparisons: EntityComparison[] = [];
  const aims: EntityVerdict[] = [];
  const engines = ENTITY_ENGINES.filter((engine) => options.engines.includes(engine));
  if (engines.length === 0) throw new Error(`entity runs on ${ENTITY_ENGINES.join(', ')}.`);
  for (const engine of engines) {
    await using stage = await openEntityStage(engine, contenders);
    for await (const comparison of compareAll(engine, stage, options)) {
      const verdict = judge(comparison);
      comparisons.push(comparison);
      aims.push(verdict);
      say(showEntity(comparison, verdict));
    }
  }
  return { comparisons, aims };
}

async function* compareAll(
  engine: EntityEngine,
  stage: EntityStage,
  { callers, rounds, rows, sliceMs }: Arguments,
): AsyncGenerator<EntityComparison> {
  const { versions } = stage;
  // Reads first: they are to find the people as they were made.
  for (const task of ENTITY_TASKS.toReversed()) {
    const runs = new Map(
      stage.contenders.flatMap((one) => {
        const run = entityRun(task, one, stage.db);
        return run ? [[one, run] as const] : [];
      }),
    );
    for (const run of runs.values()) await run.checkFirst();
    for (const count of callers) {
      const measure = (one: EntityContender, ms: number): Promise<Measure> =>
        slice(one.name, runs.get(one)!, count, ms);
      const taking = [...runs.keys()];
      for (const one of taking) await measure(one, sliceMs * WARM_UP_SLICES);
      const budgetMs = 3 * rounds * taking.length * sliceMs;
      const measured = await interleave(taking, rounds, (one) => measure(one, sliceMs), budgetMs);
      yield compare({ engine, versions, task, callers: count }, measured);
    }
    for (const run of runs.values()) await run.checkLast();
  }
  const list = people(rows);
  const few = list.slice(0, 100);
  for (const one of stage.contenders) await load(stage, one, few);
  const measured = await interleave(stage.contenders, Math.min(rounds, MOST_LOADS), (one) =>
    load(stage, one, list),
  );
  yield compare({ engine, versions, task: 'saveMany', callers: 1, rows }, measured);
}

/** Into an empty table. */
async function load(
  { db }: EntityStage,
  { name, saveMany, table }: EntityContender,
  list: readonly Person[],
): Promise<Measure> {
  await db.execute(`TRUNCATE TABLE ${table}`);
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await saveMany(list);
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  const [found] = await db.query(
    `SELECT COUNT(DISTINCT id) AS n, SUM(visits) AS visits, SUM(version) AS versions FROM ${table}`,
  );
  const sum = list.reduce((total, { visits }) => total + visits, 0);
  equal(Number(found?.['n']), list.length, `${name} (saveMany): entities`);
  equal(Number(found?.['visits']), sum, `${name} (saveMany): the sum of their visits`);
  equal(Number(found?.['versions']), list.length, `${name} (saveMany): versions`);
  return {
    perSecond: (list.length * 1_000) / tookMs,
    cpuUs: (user + system) / list.length,
  };
}

function compare(
  about: Omit<EntityComparison, 'rounds' | 'contenders'>,
  measured: ReadonlyMap<EntityContender, readonly Measure[]>,
): EntityComparison {
  const [ours = []] = measured.values();
  const results = [...measured].map(([{ name, history }, theirs]): EntityResult => {
    const both = (what: 'perSecond' | 'cpuUs') => [of(ours, what), of(theirs, what)] as const;
    return {
      name,
      history,
      perSecond: quartiles(of(theirs, 'perSecond')),
      cpuUs: quartiles(of(theirs, 'cpuUs')),
      dalSpeed: quartiles(ratios(...both('perSecond'))),
      dalCpu: quartiles(ratios(...both('cpuUs'))),
    };
  });
  return { ...about, rounds: ours.length, contenders: results };
}

function of(rounds: readonly Measure[], what: 'perSecond' | 'cpuUs'): number[] {
  return rounds.map((measure) => measure[what]);
}

/** DAL, with its history, is to be ahead of everybody, with theirs and without. */
function judge({ task, callers, contenders: all }: EntityComparison): EntityVerdict {
  const [fastest] = all
    .filter(({ name }) => !name.startsWith('DAL'))
    .toSorted((a, b) => b.perSecond.median - a.perSecond.median);
  const { name, dalSpeed: got } = fastest!;
  const aim = `${task}, ${callers} ${callers === 1 ? 'caller' : 'callers'}: DAL at least 1 x ${name}, the fastest of the others`;
  if (got.median >= 1) return { aim, got, verdict: 'met' };
  return { aim, got, verdict: got.high >= 1 ? 'close' : 'missed' };
}
