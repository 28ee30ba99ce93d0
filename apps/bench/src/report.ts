import type { Verdict } from './aims.ts';
import type { Comparison, ContenderResult } from './comparison.ts';
import type { LayerCost } from './layer-cost.ts';
import { type Quartiles, showRatio } from './rounds.ts';
import { table } from './table.ts';

const tasks: Readonly<Record<Comparison['task'], string>> = {
  read: 'one row by its primary key',
  insert: 'insert of one row',
  thousand: '1,000 rows of 8 columns',
  bulk: 'rows of 4 columns into an empty table',
  stream: 'rows of 4 columns, streamed',
};

export function showComparison(comparison: Comparison, verdicts: readonly Verdict[]): string {
  const { versions, task, callers, rows, rounds, contenders } = comparison;
  const raw = contenders.filter(({ side }) => side === 'raw');
  const unit = rows === undefined ? 'call' : 'row';
  const who = plural(callers, 'caller');
  const what = rows === undefined ? tasks[task] : `${count(rows)} ${tasks[task]}`;
  const hasPeaks = contenders.some(({ peakMiB }) => peakMiB);
  const head = [
    who,
    `${unit}s/s`,
    `client us/${unit}`,
    ...(hasPeaks ? ['peak MiB'] : []),
    ...raw.map(({ name }) => `/ ${name}`),
    ...(raw[0] ? [`CPU / ${raw[0].name}`] : []),
  ];
  const lines = contenders.map((one) => [
    one.name,
    count(one.perSecond.median),
    micro(one.cpuUs.median),
    ...(hasPeaks ? [count(one.peakMiB?.median ?? 0)] : []),
    ...raw.map(({ name }) => ratioTo(one, 'speedTo', name)),
    ...(raw[0] ? [ratioTo(one, 'cpuTo', raw[0].name)] : []),
  ]);
  const parts = [`${versions}: ${what}, ${plural(rounds, 'round')}`, table(head, lines)];
  return [...parts, ...verdicts.map(showVerdict)].join('\n');
}

export function showLayerCost(costs: readonly LayerCost[]): string {
  const names = Object.keys(costs[0]?.us ?? {});
  const lines = names.map((name) => [name, ...costs.map(({ us }) => spread(us[name]!))]);
  const head = ['us of CPU a call', ...costs.map(({ callers }) => plural(callers, 'caller'))];
  const title = "The layer's own cost: over a driver that does nothing, less that driver";
  return `${title}\n${table(head, lines)}`;
}

function showVerdict({ ours, theirs, speedAtLeast, cpuAtMost, got, verdict }: Verdict): string {
  const aim =
    cpuAtMost === undefined
      ? `${ours} at least ${speedAtLeast} x ${theirs}`
      : `${ours} at most ${cpuAtMost} x the CPU of ${theirs}`;
  return `aim: ${aim}: ${verdict}, ${showRatio(got)}`;
}

function ratioTo(one: ContenderResult, what: 'speedTo' | 'cpuTo', name: string): string {
  const ratio = one[what][name];
  return ratio === undefined || one.name === name ? '' : showRatio(ratio);
}

function spread({ low, median, high }: Quartiles): string {
  return `${micro(median)} (${micro(low)}-${micro(high)})`;
}

function micro(us: number): string {
  return us < 10 ? us.toFixed(2) : us.toFixed(1);
}

function plural(value: number, word: string): string {
  return `${value} ${word}${value === 1 ? '' : 's'}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
