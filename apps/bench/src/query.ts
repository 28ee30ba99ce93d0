// What a read through DAL costs beside the same read with the engine's library alone: one row by
// its primary key, one caller and twenty, pools of twenty connections.
//
//   node --conditions=@dal/source apps/bench/src/query.ts [--engine postgres,sqlite] [--seconds 40]
import { deepStrictEqual } from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { interleave, quartiles, ratios, showRatio } from './rounds.ts';
import { runProgram } from './run-program.ts';
import { mysqlStage, postgresStage } from './server-stages.ts';
import { sqliteStage } from './sqlite-stage.ts';
import { benchRow, type Contender, MOST_CALLERS, ROWS, type Stage } from './stage.ts';
import { table } from './table.ts';

const STAGES: Readonly<Record<string, () => Promise<Stage>>> = {
  postgres: postgresStage,
  mysql: () => mysqlStage('mysql'),
  mariadb: () => mysqlStage('mariadb'),
  sqlite: sqliteStage,
};
const ROUNDS = 25;
const CALLERS = [1, MOST_CALLERS];
/** Of a contender's time, before its first round. */
const WARM_UP_PART = 0.15;

runProgram(main);

async function main(): Promise<void> {
  const { engines, seconds } = readArguments();
  console.log(
    `$ node --conditions=@dal/source ${['src/query.ts', ...process.argv.slice(2)].join(' ')}`,
  );
  console.log(
    `Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores shared by client and server`,
  );
  console.log(
    `${ROUNDS} interleaved rounds, ${seconds} s of reading in all; median (quartiles) over the rounds; / is calls/s of the row divided by those of the column`,
  );
  // One engine at a time: an idle server takes turns on the processor too.
  for (const engine of engines) await compare(STAGES[engine]!, (seconds * 1_000) / engines.length);
}

async function compare(open: () => Promise<Stage>, budgetMs: number): Promise<void> {
  await using stage = await open();
  const contenders = [...stage.ours, ...stage.raw];
  for (const contender of contenders) await checkAnswer(contender);
  console.log(`\n${stage.versions}`);
  const eachMs = budgetMs / CALLERS.length / contenders.length;
  for (const callers of CALLERS) {
    for (const contender of contenders) await read(contender, callers, eachMs * WARM_UP_PART);
    const sliceMs = (eachMs * (1 - WARM_UP_PART)) / ROUNDS;
    const measured = await interleave(contenders, ROUNDS, (one) => read(one, callers, sliceMs));
    console.log(`\n${report(stage, measured, callers)}`);
  }
}

/** Nobody wins by answering something else. */
async function checkAnswer({ name, read: readOne }: Contender): Promise<void> {
  for (const id of [1, ROWS]) {
    deepStrictEqual({ ...((await readOne(id, 0)) as object) }, benchRow(id), `${name} row ${id}`);
  }
}

interface Measure {
  readonly perSecond: number;
  /** Processor time of this process alone: no server, no process of SQLite's. */
  readonly cpuUs: number;
}

async function read(contender: Contender, callers: number, ms: number): Promise<Measure> {
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const ends = began + ms;
  let calls = 0;
  const callOn = async (caller: number): Promise<void> => {
    for (let id = caller; performance.now() < ends; id++) {
      const wanted = (id % ROWS) + 1;
      const answer = contender.read(wanted, caller);
      const row = answer instanceof Promise ? await answer : answer;
      if ((row as { id?: unknown } | undefined)?.id !== wanted) throw wrongRow(contender, wanted);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => callOn(caller)));
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (calls * 1_000) / tookMs, cpuUs: (user + system) / calls };
}

function report(
  { ours, raw }: Stage,
  measured: ReadonlyMap<Contender, readonly Measure[]>,
  callers: number,
): string {
  const of = (one: Contender, what: keyof Measure): number[] =>
    measured.get(one)!.map((measure) => measure[what]);
  return table(
    [
      `${callers} ${callers === 1 ? 'caller' : 'callers'}`,
      'calls/s',
      'client us/call',
      ...raw.map(({ name }) => `/ ${name}`),
    ],
    [...raw, ...ours].map((one) => [
      one.name,
      Math.round(quartiles(of(one, 'perSecond')).median).toLocaleString('en'),
      quartiles(of(one, 'cpuUs')).median.toFixed(1),
      ...raw.map((their) =>
        ours.includes(one)
          ? showRatio(quartiles(ratios(of(one, 'perSecond'), of(their, 'perSecond'))))
          : '',
      ),
    ]),
  );
}

function readArguments(): { engines: string[]; seconds: number } {
  const { values } = parseArgs({
    options: { engine: { type: 'string', multiple: true }, seconds: { type: 'string' } },
  });
  const known = Object.keys(STAGES);
  const engines = values.engine?.flatMap((names) => names.split(',')) ?? known;
  const unknown = engines.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`--engine ${unknown} is not one of ${known.join(', ')}.`);
  }
  const seconds = Number(values.seconds ?? 40);
  if (!(seconds >= 1 && seconds <= 3_600)) throw new Error('--seconds is a number from 1 to 3600.');
  return { engines: [...new Set(engines)], seconds };
}

function wrongRow({ name }: Contender, wanted: number): Error {
  return new Error(`${name} was asked for row ${wanted} and answered something else.`);
}
