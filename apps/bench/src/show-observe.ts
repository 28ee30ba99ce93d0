import type { ObserveCost, ObserveFigures } from './observe.ts';
import { type Quartiles, showRatio } from './rounds.ts';
import { table } from './table.ts';

export function showObserve({ rounds, layer, postgres, aims }: ObserveFigures): string {
  const of = (callers: number): readonly ObserveCost[] =>
    postgres.filter((cost) => cost.callers === callers);
  return [
    `Over a driver that does nothing, 1 caller, ${rounds} rounds; compared with "${layer[0]!.name}"`,
    show(layer),
    'PostgreSQL, one row by its primary key; compared with the same without telemetry',
    show(of(1)),
    show(of(20)),
    ...aims.map(
      ({ aim, verdict, got }) =>
        `aim: ${aim}: ${verdict}, ${percent(got.median)} (${percent(got.low)} to ${percent(got.high)})`,
    ),
  ].join('\n\n');
}

function show(costs: readonly ObserveCost[]): string {
  const { callers } = costs[0]!;
  return table(
    [callers === 1 ? '1 caller' : `${callers} callers`, 'CPU us a call', 'more', 'ratio'],
    costs.map(({ name, cpuUs, extraUs, ratio, comparedWith }) => [
      name,
      cpuUs.median.toFixed(2),
      ...(name === comparedWith ? ['', ''] : [spread(extraUs), showRatio(ratio)]),
    ]),
  );
}

function spread({ low, median, high }: Quartiles): string {
  return `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`;
}
