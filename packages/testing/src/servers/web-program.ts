import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { createGuardedFolder } from './guarded-folder.ts';

/** A program with an HTTP port and a folder of its own, both gone when it is. */
export interface WebProgram extends AsyncDisposable {
  readonly url: string;
}

export interface WebProgramOptions {
  readonly name: string;
  /** The program, and what stands before its arguments. */
  readonly command: readonly string[];
  /** Its arguments; called when the folder exists. */
  readonly args: (at: {
    readonly folder: string;
    readonly address: string;
  }) => Promise<readonly string[]> | readonly string[];
  /** Answers 200 as soon as it is ready. */
  readonly readyPath: string;
}

const READY_MS = 30_000;

/** @throws Error with what it said, when it ends or isn't ready in time */
export async function startWebProgram(options: WebProgramOptions): Promise<WebProgram> {
  const { name, command, args, readyPath } = options;
  const folder = createGuardedFolder(name);
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const log = join(folder.path, 'log');
  try {
    const [file = '', ...before] = command;
    const own = await args({ folder: folder.path, address });
    const output = openSync(log, 'w');
    const running = spawn(file, [...before, ...own], {
      cwd: folder.path,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    folder.watch(running.pid);
    const ended = once(running, 'exit');
    // Missing programs are noticed below, as those that end.
    ended.catch(() => undefined);
    const isRunning = (): boolean =>
      running.pid !== undefined && running.exitCode === null && running.signalCode === null;
    const deadline = performance.now() + READY_MS;
    while (!(await isReady(`${url}${readyPath}`))) {
      if (isRunning() && performance.now() < deadline) await sleep(50);
      else throw new Error(`${name} did not start:\n${await readFile(log, 'utf8')}`);
    }
    return {
      url,
      async [Symbol.asyncDispose]() {
        if (isRunning()) {
          running.kill('SIGTERM');
          await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
        }
        folder.watch(isRunning() ? running.pid : undefined);
        await folder.remove();
      },
    };
  } catch (error) {
    // Still watched, so that it ends with its folder.
    await folder.remove();
    throw error;
  }
}

async function isReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
