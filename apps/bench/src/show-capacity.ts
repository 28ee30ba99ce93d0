import type { Capacity, CapacityResult } from './capacity.ts';
import { table } from './table.ts';

export function showCapacity(capacity: Capacity): string {
  const { engine, serverVersion, processes, connections, statementMs, perSecond, loads } = capacity;
  const who = `${processes} ${processes === 1 ? 'process' : 'processes'}`;
  const title = `${engine} ${serverVersion}: ${who} of ${connections} connections, statements of ${statementMs} ms: ${perSecond.toLocaleString('en')} a second by Little's law`;
  const head = [
    'asked for',
    'done/s',
    'of the law',
    'timeouts',
    'by the law',
    'other errors',
    'mean wait ms',
    'processors busy',
  ];
  const lines = loads.map((load) => [
    load.factor === undefined
      ? `${connections} callers each`
      : `${Math.round(load.factor * perSecond).toLocaleString('en')}/s`,
    Math.round(load.donePerSecond).toLocaleString('en'),
    percent(load.donePerSecond / perSecond),
    percent(load.timeouts),
    percent(load.expectedTimeouts),
    String(load.otherErrors),
    load.meanWaitMs.toFixed(0),
    percent(load.busy),
  ]);
  return [title, table(head, lines), limitOf(loads, perSecond)].join('\n');
}

/** What stands in the way of more: the pool by the law, or the machine before it. */
function limitOf(loads: readonly CapacityResult[], perSecond: number): string {
  const most = Math.max(...loads.map(({ donePerSecond }) => donePerSecond));
  const busiest = Math.max(...loads.map(({ busy }) => busy));
  if (most >= 0.93 * perSecond) return 'limit: the connections, as the law says';
  return busiest > 0.85
    ? `limit: the machine, whose processors were ${percent(busiest)} busy with clients and server`
    : 'limit: neither the connections nor the processors; the server or what is between';
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
