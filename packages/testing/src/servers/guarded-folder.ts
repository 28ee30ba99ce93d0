import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder, and perhaps a server in it, that do not outlive this process. */
export interface GuardedFolder {
  readonly path: string;
  /** Names the process that has to end with this one; `undefined` for none. */
  watch(pid: number | undefined): void;
  /** Removes the folder, and ends a process that is still watched. */
  remove(): Promise<void>;
}

// Reads pids until its input ends, which happens whenever this process ends, however it ends.
const GUARD = `
while read -r line; do server=$line; done
if [ -n "$server" ]; then
  kill -KILL $server $(cat /proc/$server/task/$server/children 2>/dev/null) 2>/dev/null
  sleep 0.1
fi
rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
`;

/** Makes a folder below the system's folder for temporary files. */
export function createGuardedFolder(name: string): GuardedFolder {
  const path = mkdtempSync(join(tmpdir(), `dal-${name}-`));
  // The server may run under another user than this process.
  chmodSync(path, 0o755);
  // In a session of its own, so that Ctrl-C in the terminal does not reach it.
  const guard = spawn('sh', ['-c', GUARD, 'sh', path], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  (guard.stdin as Socket).unref();

  return {
    path,
    watch(pid) {
      guard.stdin.write(`${pid ?? ''}\n`);
    },
    async remove() {
      guard.stdin.end();
      await ended(guard);
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function ended(guard: ChildProcess): Promise<unknown> {
  if (guard.pid === undefined || guard.exitCode !== null || guard.signalCode !== null) {
    return Promise.resolve();
  }
  guard.ref();
  return new Promise((resolve) => guard.once('exit', resolve));
}
