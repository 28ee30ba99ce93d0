import { setTimeout as sleep } from 'node:timers/promises';
import type { Screen } from './screen.ts';
import { exhaustedPool } from './shows/exhausted-pool.ts';
import { killedConnection } from './shows/killed-connection.ts';
import { salesReport } from './shows/sales-report.ts';
import type { Show, Stage } from './shows/show.ts';
import { stuckStatement } from './shows/stuck-statement.ts';

const SHOWS: readonly Show[] = [stuckStatement, exhaustedPool, killedConnection, salesReport];

/** Runs one show after another, spread over the time that there is. True when all passed. */
export async function runShows(stage: Stage, screen: Screen, seconds: number): Promise<boolean> {
  const startedAt = performance.now();
  const stepMs = (seconds * 1_000) / (SHOWS.length + 1);
  let passed = true;
  for (const [index, show] of SHOWS.entries()) {
    await pause(startedAt + stepMs * (index + 1) - performance.now() - stepMs / 2, stage.signal);
    if (stage.signal.aborted || stage.workload.failure) return passed;
    passed = (await runShow(show, stage, screen)) && passed;
  }
  await pause(startedAt + seconds * 1_000 - performance.now(), stage.signal);
  return passed;
}

async function runShow(show: Show, stage: Stage, screen: Screen): Promise<boolean> {
  const startedAt = performance.now();
  try {
    const { passed, lines } = await show.run(stage);
    tell(show, passed, lines, screen, startedAt);
    return passed;
  } catch (error) {
    if (stage.signal.aborted) {
      tell(show, undefined, ['Interrupted.'], screen, startedAt);
      return true;
    }
    tell(show, false, [error instanceof Error ? error.message : String(error)], screen, startedAt);
    return false;
  }
}

function tell(
  { title }: Show,
  passed: boolean | undefined,
  lines: readonly string[],
  screen: Screen,
  startedAt: number,
): void {
  const verdict =
    passed === undefined
      ? screen.style('yellow', 'cut short')
      : passed
        ? screen.style('green', 'ok')
        : screen.style(['red', 'bold'], 'FAILED');
  const took = screen.style('dim', `(${Math.round(performance.now() - startedAt)} ms)`);
  screen.line(`${screen.style('bold', title)} ${took}: ${verdict}`);
  for (const line of lines) screen.line(`  ${line}`);
  screen.line();
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  // An interruption ends the pause; who called looks at the signal.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
