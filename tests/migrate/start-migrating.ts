import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { MigrationReport } from '@dal/migrate';
import type { MigrationStage } from './migration-stage.ts';

export interface Migrating extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves when the process says something that begins so. */
  says(words: string): Promise<void>;
  /** How it ended, by its own account; empty when it was killed. */
  readonly ended: Promise<{
    readonly report?: MigrationReport;
    readonly error?: { readonly code: string; readonly message: string };
  }>;
}

interface Message {
  readonly log?: string;
  readonly report?: MigrationReport;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Another process that migrates the same folder. `mode` is what its migrations read as MIGRATE_MODE. */
export function startMigrating(
  { url, at }: MigrationStage,
  options: Readonly<Record<string, unknown>> = {},
  mode = '',
): Migrating {
  const child = fork(
    join(import.meta.dirname, 'migrate-program.ts'),
    [url, JSON.stringify({ ...at, ...options })],
    {
      execArgv: ['--conditions=@dal/source'],
      env: { ...process.env, MIGRATE_MODE: mode },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  const lines: string[] = [];
  const waiting: { readonly words: string; readonly resolve: () => void }[] = [];
  let last: Message = {};
  child.on('message', (message: Message) => {
    if (message.log === undefined) last = message;
    else lines.push(message.log);
    for (const { words, resolve } of waiting) if (message.log?.startsWith(words)) resolve();
  });
  const ended = once(child, 'close').then(() => last);
  return {
    child,
    says(words) {
      if (lines.some((line) => line.startsWith(words))) return Promise.resolve();
      return new Promise((resolve) => waiting.push({ words, resolve }));
    },
    ended,
    // A test that fails must not leave one behind that never ends.
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
