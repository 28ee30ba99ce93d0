import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import type { GuardedFolder } from './guarded-folder.ts';
import { childrenOf, haveEnded, haveStopped, signal } from './processes.ts';
import {
  type Server,
  type ServerKind,
  type ServerSource,
  serverUrl,
  type ServerTls,
} from './server.ts';

/** Everything that is known about a server before it runs. */
export interface LocalProgram {
  kind: ServerKind;
  version: string;
  via: ServerSource;
  folder: GuardedFolder;
  user: string;
  password: string;
  database: string;
  tls: ServerTls | undefined;
  /** The program and its arguments for a port. */
  command(port: number): { file: string; args: string[] };
  /** The user to run as, when it is not the user of this process. */
  runAs?: { uid: number; gid: number } | undefined;
  /** Whether the server with that pid serves clients now. Asked every few milliseconds. */
  isReady(port: number, pid: number): boolean | Promise<boolean>;
  /** What makes the server end in an orderly way without waiting for its clients. */
  stopSignal: NodeJS.Signals;
}

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const PORT_TIMEOUT_MS = 10_000;

/** Starts a server that lies ready in its folder. The folder is removed when that fails. */
export async function startLocalServer(program: LocalProgram): Promise<Server> {
  try {
    for (let attempt = 1; ; attempt++) {
      const server = new LocalServer(program, await freePort());
      try {
        await server.start();
        return server;
      } catch (error) {
        if (!(error instanceof PortTakenError) || attempt === 5) throw error;
      }
    }
  } catch (error) {
    await program.folder.remove();
    throw error;
  }
}

class PortTakenError extends Error {}

class LocalServer implements Server {
  readonly kind: ServerKind;
  readonly url: string;
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly version: string;
  readonly via: ServerSource;
  readonly tls: ServerTls | undefined;
  readonly logFile: string;
  readonly #program: LocalProgram;
  #process: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #hasRun = false;
  #frozen: number[] = [];
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(program: LocalProgram, port: number) {
    this.#program = program;
    this.port = port;
    this.kind = program.kind;
    this.user = program.user;
    this.password = program.password;
    this.database = program.database;
    this.version = program.version;
    this.via = program.via;
    this.tls = program.tls;
    this.url = serverUrl(program.kind, this);
    this.logFile = join(program.folder.path, 'server.log');
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  start(): Promise<void> {
    return this.#inTurn(() => this.#start());
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#stop());
  }

  restart(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#stop();
      await this.#start();
    });
  }

  kill(): Promise<void> {
    return this.#inTurn(() => this.#kill());
  }

  freeze(): Promise<void> {
    return this.#inTurn(async () => {
      const { pid } = this;
      if (pid === undefined)
        throw new Error(`The ${this.kind} server does not run: nothing to freeze.`);
      // The parent first, so that it starts no child behind our back.
      signal(pid, 'SIGSTOP');
      this.#frozen = [pid, ...(await childrenOf(pid))];
      for (const frozen of this.#frozen) signal(frozen, 'SIGSTOP');
      await haveStopped(this.#frozen, STOP_TIMEOUT_MS);
    });
  }

  thaw(): Promise<void> {
    return this.#inTurn(async () => this.#thaw());
  }

  close(): Promise<void> {
    if (this.#closed) return this.#last.then(() => undefined);
    const closing = this.#inTurn(async () => {
      await this.#kill();
      await this.#program.folder.remove();
    });
    this.#closed = true;
    return closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #inTurn(operation: () => Promise<void>): Promise<void> {
    if (this.#closed) return Promise.reject(new Error(`The ${this.kind} server is closed.`));
    const done = this.#last.then(operation);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #start(): Promise<void> {
    if (this.#process !== undefined) return;
    const deadline = performance.now() + PORT_TIMEOUT_MS;
    for (;;) {
      try {
        await this.#launch();
        this.#hasRun = true;
        return;
      } catch (error) {
        // At first another port is as good. Later clients know this one, so wait until it is free.
        const mayWait = this.#hasRun && performance.now() < deadline;
        if (!(error instanceof PortTakenError) || !mayWait) throw error;
        await sleep(100);
      }
    }
  }

  async #launch(): Promise<void> {
    const { command, runAs, folder, isReady } = this.#program;
    const { file, args } = command(this.port);
    const log = openSync(this.logFile, 'a');
    // Out of the terminal's reach; the guard of the folder ends it when this process dies.
    const server = spawn(file, args, {
      ...runAs,
      cwd: folder.path,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const failure = new Promise<Error>((resolve) => {
      server.once('error', resolve);
      server.once('exit', (code, by) => resolve(new Error(`it ended with ${code ?? by}`)));
    });
    this.#exited = failure;
    let failed: Error | undefined;
    void failure.then((error) => (failed = error));
    server.once('exit', () => {
      if (this.#process !== server) return;
      this.#process = undefined;
      folder.watch(undefined);
    });
    server.unref();
    this.#process = server;
    folder.watch(server.pid);

    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (server.pid === undefined || !(await isReady(this.port, server.pid))) {
      if (failed === undefined && performance.now() > deadline) {
        failed = new Error(`it was not ready after ${READY_TIMEOUT_MS} ms`);
      }
      if (failed !== undefined) {
        await this.#kill();
        // It has no pid to be killed by when the program could not even be run.
        this.#process = undefined;
        throw await this.#startError(failed);
      }
      await Promise.race([failure, sleep(10)]);
    }
  }

  async #startError(reason: Error): Promise<Error> {
    const log = await readFile(this.logFile, 'utf8').catch(() => '');
    const words = `Could not start ${this.kind} ${this.version} on port ${this.port}: ${reason.message}`;
    if (/address already in use/i.test(log)) {
      // An old clash must not be taken for a new one.
      await truncate(this.logFile);
      return new PortTakenError(words);
    }
    return new Error(
      `${words}. Its last words:\n${log.trimEnd().split('\n').slice(-15).join('\n')}`,
    );
  }

  async #stop(): Promise<void> {
    this.#thaw();
    const { pid } = this;
    if (pid === undefined) return;
    const all = [pid, ...(await childrenOf(pid))];
    signal(pid, this.#program.stopSignal);
    if (!(await haveEnded(all, STOP_TIMEOUT_MS))) return this.#kill();
    await this.#forget(pid);
  }

  async #kill(): Promise<void> {
    const { pid } = this;
    if (pid !== undefined) {
      signal(pid, 'SIGSTOP');
      const all = [pid, ...(await childrenOf(pid))];
      for (const one of all) signal(one, 'SIGKILL');
      if (!(await haveEnded(all, STOP_TIMEOUT_MS))) {
        throw new Error(`The ${this.kind} server (pid ${pid}) survived SIGKILL.`);
      }
      await this.#forget(pid);
    }
    this.#frozen = [];
  }

  // A process with many threads looks dead a moment before it has let go of its port and files.
  async #forget(pid: number): Promise<void> {
    if (this.#process?.pid !== pid) return;
    this.#process.ref();
    await this.#exited;
    this.#process = undefined;
    this.#program.folder.watch(undefined);
  }

  #thaw(): void {
    for (const frozen of this.#frozen.toReversed()) signal(frozen, 'SIGCONT');
    this.#frozen = [];
  }
}
