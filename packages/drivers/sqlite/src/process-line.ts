/** A session in a process of its own: the only place where SQLite can be stopped for sure, by killing it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { abortError, type Fault, onAbort } from '@dal/core';
import { bundledError } from './bundled-error.ts';
import { FrameReader, writeFrame } from './frames.ts';
import { sessionIsBusy, sessionIsOver, type SqliteRaw, valueOf } from './session-line.ts';
import { failureOf, type Order, type Reply, type Request } from './session-messages.ts';
import { SqliteError } from './sqlite-faults.ts';
import type { SqliteSettings } from './sqlite-options.ts';

/** How long a session may take to close its file before it is killed, which WAL survives. */
const CLOSE_TIMEOUT_MS = 1_500;
/** The place of the line among the files of the process, behind stderr. */
const LINE = 3;

/** Starts the process and opens the file in it; nothing of it stays when that fails. */
export async function openProcessLine(
  settings: SqliteSettings,
  lost: (error: unknown) => void,
  signal?: AbortSignal,
): Promise<ProcessLine> {
  if (signal?.aborted) throw abortError(signal, 'Connecting');
  const line = new ProcessLine(settings, lost);
  await line.open(signal);
  return line;
}

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  /** Nothing of it stays, whenever it was stopped. */
  readonly onlyReads: boolean;
  readonly since: number;
}

export interface HowToCall {
  /** The request changes nothing. */
  readonly onlyReads: boolean;
  /** Statements that the session need not keep any longer. */
  readonly forget?: readonly number[];
}

const READS: HowToCall = { onlyReads: true };

/** The way to a session in another process. One request at a time. */
export class ProcessLine {
  readonly raw: SqliteRaw;
  /** SQLite's own word, as of the last answer. */
  inTransaction = false;
  /** The process ends itself when a request takes longer, also while this one is frozen; 0: never. */
  limitMs = 0;
  readonly #settings: SqliteSettings;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #exited: Promise<void>;
  #lost: ((error: unknown) => void) | undefined;
  #pending: Pending | undefined;
  #over = false;

  constructor(settings: SqliteSettings, lost: (error: unknown) => void) {
    this.#settings = settings;
    this.#lost = lost;
    this.#child = startProcess();
    this.#socket = this.#child.stdio[LINE] as Socket;
    this.raw = { runsIn: 'process', pid: this.#child.pid ?? 0, database: undefined };
    this.#socket.on('data', (piece) => this.#receive(piece));
    // What can't be sent is told by the end of the process.
    this.#socket.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      // Not "exit": the last words may still be on the line then.
      this.#child.once('close', (code, signal) => {
        if (this.#isLate()) this.#end(tookTooLong(this.limitMs), { kind: 'statementTimeout' });
        else this.#end(`ended by itself (${signal ?? `exit code ${code}`})`);
        resolve();
      });
      this.#child.on('error', (error) => {
        // No process: nothing else will ever come. Otherwise its end follows and says more.
        if (this.#child.pid !== undefined) return;
        this.#end(`could not be started: ${failureOf(error).message}`);
        resolve();
      });
    });
  }

  async open(signal?: AbortSignal): Promise<void> {
    const { connectTimeoutMs, path } = this.#settings;
    const giveUp = (error: Error): void => {
      this.#pending?.reject(error);
      this.destroy();
    };
    const timer = setTimeout(() => {
      const message = `Opening ${path} took longer than ${connectTimeoutMs} ms`;
      giveUp(new SqliteError({ message, code: 'DAL_SQLITE_CONNECT_TIMEOUT' }));
    }, connectTimeoutMs);
    const stopListening = onAbort(signal, () =>
      giveUp(abortError(signal as AbortSignal, 'Connecting')),
    );
    try {
      const { memory: _, ...settings } = this.#settings;
      await this.call(['start', settings]);
      // An idle session is no reason for a program to go on; a running statement is.
      this.#child.unref();
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }

  /** Rejects with `SqliteError`. */
  async call(request: Request, how: HowToCall = READS): Promise<unknown> {
    const before = this.inTransaction;
    const reply = await this.#send(request, how);
    this.inTransaction = reply[1];
    return valueOf(reply, before);
  }

  async close(): Promise<void> {
    this.#lost = undefined;
    this.#child.ref();
    this.#socket.ref();
    if (this.#over) return this.#exited;
    const busy = this.#pending !== undefined;
    this.#stop('was closed');
    if (busy) this.#child.kill('SIGKILL');
    else this.#post(['close']);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  destroy(): void {
    this.#lost = undefined;
    this.#stop('was stopped and its process killed');
    this.#child.kill('SIGKILL');
  }

  #send(request: Request, { onlyReads, forget }: HowToCall): Promise<Reply> {
    if (this.#over) return Promise.reject(sessionIsOver());
    if (this.#pending !== undefined) return Promise.reject(sessionIsBusy());
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject, onlyReads, since: performance.now() };
      this.#socket.ref();
      this.#post(request, forget);
    });
  }

  #post(request: Request, forget: readonly number[] = []): void {
    const order: Order = [request, this.limitMs, forget];
    // Where nothing can be sent any more, the end of the process is the answer.
    if (this.#socket.writable) this.#socket.write(writeFrame(order));
  }

  #receive(piece: Buffer): void {
    this.#reader.add(piece);
    for (let reply = this.#reader.next(); reply !== undefined; reply = this.#reader.next()) {
      const pending = this.#pending;
      this.#pending = undefined;
      this.#socket.unref();
      pending?.resolve(reply[0] as Reply);
    }
  }

  #end(how: string, known: Partial<Fault> = {}): void {
    const lost = this.#lost;
    this.#lost = undefined;
    const error = this.#stop(how, known);
    lost?.(error);
  }

  /** From here on nothing is sent; who waits is told. */
  #stop(how: string, known: Partial<Fault> = {}): SqliteError {
    const pending = this.#pending;
    const gone = this.#settings.memory ? '; the database in memory and all its data are gone' : '';
    const error = new SqliteError(
      { message: `The SQLite session ${how}${gone}`, code: 'DAL_SQLITE_SESSION_LOST' },
      {
        applied: pending && !pending.onlyReads ? 'unknown' : 'no',
        ...(this.inTransaction ? { transaction: 'gone' } : {}),
        ...known,
      },
    );
    this.#over = true;
    this.#pending = undefined;
    pending?.reject(error);
    return error;
  }

  #isLate(): boolean {
    return (
      this.#pending !== undefined &&
      this.limitMs > 0 &&
      performance.now() - this.#pending.since >= this.limitMs
    );
  }
}

function tookTooLong(limitMs: number): string {
  return `ended itself, because a statement took longer than its limit of ${limitMs} ms`;
}

function startProcess(): ChildProcess {
  // The same file, as source or as built.
  const source = import.meta.url?.endsWith('.ts');
  const name = source ? './session-process.ts' : './session-process.js';
  // A bundle in CommonJS has no URL at all.
  const file = URL.parse(name, import.meta.url);
  const flags = source ? ['--conditions=@dal/source', '--disable-warning=ExperimentalWarning'] : [];
  if (file === null || !existsSync(file)) throw bundledError();
  return spawn(process.execPath, [...flags, fileURLToPath(file)], {
    env: environment(),
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    windowsHide: true,
  });
}

function environment(): NodeJS.ProcessEnv {
  const { pnp, electron } = process.versions;
  // What the program was started with (loaders, inspectors, agents) has no business in there. Only
  // with Yarn's Plug'n'Play no package is found without it.
  const { NODE_OPTIONS: options, ...env } = process.env;
  if (pnp !== undefined && options !== undefined) env['NODE_OPTIONS'] = options;
  if (electron !== undefined) env['ELECTRON_RUN_AS_NODE'] = '1';
  return env;
}
