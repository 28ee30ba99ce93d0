import type { RestingState } from './resting-state.ts';
import type { SoakReport } from './soak.ts';

const ROWS = 12;

export function printSoak(report: SoakReport, print: (line: string) => void): void {
  const { options, load, faults, states, violations } = report;
  const faultCount = [...faults.values()].reduce((sum, count) => sum + count, 0);
  print(
    `${options.engine}, ${options.seconds} s, seed ${options.seed}: ${load.done} operations done, ${load.failed} failed, ${faultCount} faults`,
  );
  print('  at s   heap MiB  buffers MiB  sockets  timers  others  listeners');
  const step = Math.max(1, Math.ceil(states.length / ROWS));
  for (const state of states.filter((_, at) => at % step === 0)) print(`  ${line(state)}`);
  const slopes = [report.heapBytesPerSecond, report.bufferBytesPerSecond].map(Math.round);
  print(`  slopes after the warm-up: heap ${slopes[0]}, buffers ${slopes[1]} bytes a second`);
  for (const violation of violations.slice(0, 20)) print(`  VIOLATION ${violation}`);
  print(violations.length === 0 ? '  no violation' : `  ${violations.length} violations`);
}

function line(state: RestingState): string {
  const { atSeconds, heapBytes, bufferBytes, sockets, timers, others, listeners } = state;
  const cells: readonly (readonly [string, number])[] = [
    [atSeconds.toFixed(0), 4],
    [(heapBytes / 1_048_576).toFixed(2), 11],
    [(bufferBytes / 1_048_576).toFixed(2), 13],
    [String(sockets), 9],
    [String(timers), 8],
    [String(others), 8],
    [String(listeners), 11],
  ];
  return cells.map(([text, width]) => text.padStart(width)).join('');
}
