import { fork } from 'node:child_process';
import { compare, type Comparison, type Measure } from './comparison.ts';
import type { Contender } from './contender.ts';
import { openStage, type Stage } from './engine-stage.ts';
import type { Arguments, EngineName } from './read-arguments.ts';
import { interleave } from './rounds.ts';
import { expectedSum, type StreamSum } from './stream-sum.ts';

/** What the process of one stream is told, and what it tells. */
export interface StreamTask {
  readonly engine: EngineName;
  readonly url: string;
  readonly prefix: string;
  readonly contender: string;
  readonly rows: number;
}

export interface StreamAnswer extends StreamSum {
  readonly tookMs: number;
  readonly cpuUs: number;
  readonly peakMiB: number;
}

/**
 * Every row of a large table, a few at a time. Each stream has a process of its own: memory that was
 * taken once is rarely given back, so a shared process would show the greediest contender's.
 */
export async function* stream(
  engine: EngineName,
  { rounds, rows }: Arguments,
): AsyncGenerator<Comparison> {
  await using stage = await openStage(engine, ['stream'], rows);
  const taking = stage.contenders.filter((contender) => contender.stream);
  const measured = await interleave(taking, rounds, (one) => measure(stage, one, rows));
  const { versions } = stage;
  yield compare({ engine, versions, task: 'stream', callers: 1, rows }, measured);
}

async function measure(stage: Stage, contender: Contender, rows: number): Promise<Measure> {
  const { engine, url, prefix } = stage;
  const answer = await inProcess({ engine, url, prefix, contender: contender.name, rows });
  const wanted = expectedSum(rows);
  if (answer.rows !== wanted.rows || answer.sum !== wanted.sum) {
    throw new Error(`${contender.name} streamed ${answer.rows} of ${rows} rows, or other ones.`);
  }
  return {
    perSecond: (rows * 1_000) / answer.tookMs,
    cpuUs: answer.cpuUs / rows,
    peakMiB: answer.peakMiB,
  };
}

function inProcess(task: StreamTask): Promise<StreamAnswer> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('stream-once.ts', import.meta.url), {
      execArgv: ['--conditions=@dal/source'],
    });
    let answer: StreamAnswer | undefined;
    child.on('message', (message) => {
      answer = message as StreamAnswer;
    });
    child.on('error', reject);
    child.on('exit', (status, signal) => {
      if (answer) resolve(answer);
      else reject(new Error(`${task.contender} ended with ${signal ?? `status ${status}`}.`));
    });
    // Not as an argument: others on the machine may read those, and a URL has a password.
    child.send(task);
  });
}
