// One stream in a process of its own; started by stream.ts, which says what to read.
import { once } from 'node:events';
import { tablesOf } from './contender.ts';
import { openContenders } from './engine-stage.ts';
import { runProgram } from './run-program.ts';
import type { StreamAnswer, StreamTask } from './stream.ts';

runProgram(main);

async function main(): Promise<void> {
  const [task] = (await once(process, 'message')) as [StreamTask];
  await using opened = new AsyncDisposableStack();
  const contenders = openContenders(task.engine, task.url, tablesOf(task.prefix), opened);
  const contender = contenders.find(({ name }) => name === task.contender);
  if (!contender?.stream) throw new Error(`Nobody here is called ${task.contender}.`);
  // Connected and compiled before the clock runs.
  for (let turn = 0; turn < 3; turn++) await contender.stream(Math.min(task.rows, 5_000));

  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const sum = await contender.stream(task.rows);
  const tookMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBefore);
  const peakMiB = process.resourceUsage().maxRSS / 1_024;
  process.send?.({ ...sum, tookMs, cpuUs: user + system, peakMiB } satisfies StreamAnswer);
  process.disconnect();
}
