import { judge, type Verdict } from './aims.ts';
import { bulk } from './bulk.ts';
import type { Comparison } from './comparison.ts';
import { hotPath } from './hot-path.ts';
import { type LayerCost, layerCost } from './layer-cost.ts';
import type { Arguments } from './read-arguments.ts';
import { showComparison, showLayerCost } from './report.ts';
import { stream } from './stream.ts';

/** What `--json` prints of statements, loads and streams. */
export interface EngineFigures {
  readonly comparisons: readonly Comparison[];
  readonly layerCost: readonly LayerCost[];
  readonly aims: readonly Verdict[];
}

const measures = { 'hot-path': hotPath, bulk, stream } as const;

/** DAL beside the engines' own libraries and other layers. */
export function compareEngines(command: keyof typeof measures) {
  return async (options: Arguments, say: (text: string) => void): Promise<EngineFigures> => {
    const comparisons: Comparison[] = [];
    const aims: Verdict[] = [];
    // One engine at a time: an idle server takes turns on the processor too.
    for (const engine of options.engines) {
      for await (const comparison of measures[command](engine, options)) {
        const verdicts = judge(comparison);
        comparisons.push(comparison);
        aims.push(...verdicts);
        say(showComparison(comparison, verdicts));
      }
    }
    const costs: LayerCost[] = [];
    if (command === 'hot-path') {
      for (const count of options.callers) costs.push(await layerCost(count, options.rounds));
      say(showLayerCost(costs));
    }
    return { comparisons, layerCost: costs, aims };
  };
}
