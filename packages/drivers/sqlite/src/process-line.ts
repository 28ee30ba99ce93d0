/** A session in a process of its own: the only place where SQLite can be stopped for sure, by killing it. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  resultOf,
  type SessionLine,
  sessionIsBusy,
  sessionIsOver,
  type SqliteRaw,
} from './session-line.ts';
import { failureOf, type Reply, type Request } from './session-messages.ts';
import { SqliteError } from './sqlite-faults.ts';
import type { SqliteSettings } from './sqlite-options.ts';

/** How long a session may take to close its file before it is killed, which WAL survives. */
const CLOSE_TIMEOUT_MS = 1_500;

/** Starts the process and opens the file in it; nothing of it stays when that fails. */
export async function openProcessLine(
  settings: SqliteSettings,
  lost: (error: unknown) => void,
): Promise<SessionLine> {
  const line = new ProcessLine(settings, lost);
  await line.open();
  return line;
}

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

class ProcessLine implements SessionLine {
  readonly raw: SqliteRaw;
  inTransaction = false;
  readonly #settings: SqliteSettings;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #lost: ((error: unknown) => void) | undefined;
  #pending: Pending | undefined;
  #over = false;

  constructor(settings: SqliteSettings, lost: (error: unknown) => void) {
    this.#settings = settings;
    this.#lost = lost;
    this.#child = startProcess();
    this.raw = { runsIn: 'process', pid: this.#child.pid ?? 0, database: undefined };
    this.#child.on('message', (reply) => this.#answer(reply as Reply));
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#end(`ended by itself (${signal ?? `exit code ${code}`})`);
        resolve();
      });
      this.#child.on('error', (error) => {
        // No process: nothing else will ever come. Otherwise its exit follows and says more.
        if (this.#child.pid !== undefined) return;
        this.#end(`could not be started: ${failureOf(error).message}`);
        resolve();
      });
    });
  }

  async open(): Promise<void> {
    const { connectTimeoutMs, path } = this.#settings;
    const timer = setTimeout(() => {
      this.#pending?.reject(
        new SqliteError({
          message: `Opening ${path} took longer than ${connectTimeoutMs} ms`,
          code: 'DAL_SQLITE_CONNECT_TIMEOUT',
        }),
      );
      this.destroy();
    }, connectTimeoutMs);
    try {
      resultOf(await this.#send(this.#settings), false);
      // An idle session is no reason for a program to go on; a running statement is.
      this.#child.unref();
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async call(request: Request): Promise<unknown> {
    const before = this.inTransaction;
    const reply = await this.#send(request);
    this.inTransaction = reply[1];
    return resultOf(reply, before);
  }

  async close(): Promise<void> {
    this.#lost = undefined;
    this.#child.ref();
    if (this.#over) return this.#exited;
    const busy = this.#pending !== undefined;
    this.#stop('was closed');
    if (busy) this.#child.kill('SIGKILL');
    else this.#post('close');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  destroy(): void {
    this.#lost = undefined;
    this.#stop('was stopped and its process killed');
    this.#child.kill('SIGKILL');
  }

  #send(message: Request | SqliteSettings): Promise<Reply> {
    if (this.#over) return Promise.reject(sessionIsOver());
    if (this.#pending !== undefined) return Promise.reject(sessionIsBusy());
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#child.channel?.ref();
      this.#post(message);
    });
  }

  #post(message: Request | SqliteSettings | 'close'): void {
    // Where nothing can be sent any more, the exit of the process is the answer.
    if (this.#child.connected) this.#child.send(message);
  }

  #answer(reply: Reply): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#child.channel?.unref();
    pending?.resolve(reply);
  }

  #end(how: string): void {
    const lost = this.#lost;
    this.#lost = undefined;
    const error = this.#stop(how);
    lost?.(error);
  }

  /** From here on nothing is sent; who waits is told. */
  #stop(how: string): SqliteError {
    const pending = this.#pending;
    const gone = this.#settings.memory ? '; the database in memory and all its data are gone' : '';
    const error = new SqliteError(
      { message: `The SQLite session ${how}${gone}`, code: 'DAL_SQLITE_SESSION_LOST' },
      {
        applied: pending ? 'unknown' : 'no',
        ...(this.inTransaction ? { transaction: 'gone' } : {}),
      },
    );
    this.#over = true;
    this.#pending = undefined;
    pending?.reject(error);
    return error;
  }
}

function startProcess(): ChildProcess {
  // The same file, as source or as built.
  const source = import.meta.url.endsWith('.ts');
  const file = new URL(source ? './session-process.ts' : './session-process.js', import.meta.url);
  // What the program was started with (loaders, inspectors, agents) has no business in there.
  const { NODE_OPTIONS: _, ...env } = process.env;
  return fork(fileURLToPath(file), [], {
    env: process.versions['electron'] ? { ...env, ELECTRON_RUN_AS_NODE: '1' } : env,
    execArgv: source ? ['--disable-warning=ExperimentalWarning'] : [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    windowsHide: true,
  });
}
