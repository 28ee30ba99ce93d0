import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from './run-program.ts';

/** The processes that a process has started and that still run. */
export async function childrenOf(pid: number): Promise<number[]> {
  try {
    return numbers(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
  } catch {
    // Not every kernel has that file.
    const table = await runProgram('ps', ['-A', '-o', 'pid=,ppid=']).catch(() => '');
    return table
      .split('\n')
      .map(numbers)
      .filter(([, parent]) => parent === pid)
      .flatMap(([child]) => (child === undefined ? [] : [child]));
  }
}

/** Sends a signal; a process that is already gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether a process exists and is not just waiting to be buried by its parent. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return process.platform !== 'linux';
  }
}

/** Waits until none of the processes is alive; answers false when time is up first. */
export async function haveEnded(pids: readonly number[], timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (pids.some(isAlive)) {
    if (performance.now() > deadline) return false;
    await sleep(5);
  }
  return true;
}

/** Waits until every thread of a process has stopped: SIGSTOP reaches busy threads a moment later. */
export async function haveStopped(pids: readonly number[], timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!pids.every(isStopped)) {
    if (performance.now() > deadline) return false;
    await sleep(5);
  }
  return true;
}

function isStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) =>
      /\) [TZX] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')),
    );
  } catch {
    // Gone, or a system that doesn't tell.
    return true;
  }
}

function numbers(text: string): number[] {
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}
