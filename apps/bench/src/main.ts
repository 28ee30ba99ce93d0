// DAL beside the engines' own libraries and other layers, in one run.
//
//   pnpm bench hot-path | bulk | stream [--engine postgres,sqlite] [--quick] [--json]
import { availableParallelism } from 'node:os';
import { judge, type Verdict } from './aims.ts';
import { bulk } from './bulk.ts';
import type { Comparison } from './comparison.ts';
import { hotPath } from './hot-path.ts';
import { type LayerCost, layerCost } from './layer-cost.ts';
import { type Arguments, readArguments } from './read-arguments.ts';
import { showComparison, showLayerCost } from './report.ts';
import { runProgram } from './run-program.ts';
import { stream } from './stream.ts';

// Libraries that make local times of moments are to agree with the others.
process.env['TZ'] = 'UTC';

const commands = { 'hot-path': hotPath, bulk, stream } as const;

/** What `--json` prints. */
interface Document {
  readonly command: string;
  readonly machine: string;
  readonly comparisons: readonly Comparison[];
  readonly layerCost: readonly LayerCost[];
  readonly aims: readonly Verdict[];
}

runProgram(main);

async function main(): Promise<void> {
  const given = process.argv.slice(2);
  const options = readArguments(given);
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${availableParallelism()} cores shared by client and server`;
  const say = options.json ? () => undefined : (text: string) => console.log(`${text}\n`);
  say(`$ pnpm bench ${given.join(' ')}`);
  say(
    `${machine}. Everybody is measured in every round; median (quartiles) over the rounds; / is the speed of the row divided by that of the column`,
  );
  const comparisons: Comparison[] = [];
  const aims: Verdict[] = [];
  // One engine at a time: an idle server takes turns on the processor too.
  for (const engine of options.engines) {
    for await (const comparison of commands[options.command](engine, options)) {
      const verdicts = judge(comparison);
      comparisons.push(comparison);
      aims.push(...verdicts);
      say(showComparison(comparison, verdicts));
    }
  }
  const costs = await costsOf(options);
  if (costs.length > 0) say(showLayerCost(costs));
  const document: Document = {
    command: `bench ${given.join(' ')}`,
    machine,
    comparisons,
    layerCost: costs,
    aims,
  };
  if (options.json) console.log(JSON.stringify(document, null, 2));
}

async function costsOf({ command, callers, rounds }: Arguments): Promise<LayerCost[]> {
  const costs: LayerCost[] = [];
  if (command === 'hot-path') {
    for (const count of callers) costs.push(await layerCost(count, rounds));
  }
  return costs;
}
