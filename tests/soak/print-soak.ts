import type { RestingState } from './resting-state.ts';
import type { SoakReport } from './soak.ts';

const ROWS = 12;

export function printSoak(report: SoakReport, print: (line: string) => void): void {
  const { options, load, faults, states, heapBytesPerSecond, violations } = report;
  const faultCount = [...faults.values()].reduce((sum, count) => sum + count, 0);
  print(
    `${options.engine}, ${options.seconds} s, seed ${options.seed}: ${load.done} operations done, ${load.failed} failed, ${faultCount} faults`,
  );
  print('  at s   heap MiB  sockets  timers  others  listeners');
  const step = Math.max(1, Math.ceil(states.length / ROWS));
  for (const state of states.filter((_, at) => at % step === 0)) print(`  ${line(state)}`);
  print(`  heap slope after the warm-up: ${Math.round(heapBytesPerSecond)} bytes a second`);
  for (const violation of violations.slice(0, 20)) print(`  VIOLATION ${violation}`);
  print(violations.length === 0 ? '  no violation' : `  ${violations.length} violations`);
}

function line({ atSeconds, heapBytes, sockets, timers, others, listeners }: RestingState): string {
  const cells: readonly (readonly [string, number])[] = [
    [atSeconds.toFixed(0), 4],
    [(heapBytes / 1_048_576).toFixed(2), 11],
    [String(sockets), 9],
    [String(timers), 8],
    [String(others), 8],
    [String(listeners), 11],
  ];
  return cells.map(([text, width]) => text.padStart(width)).join('');
}
