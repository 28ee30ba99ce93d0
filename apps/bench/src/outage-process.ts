import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FromChild, OutageTask, RequestReport, ToChild } from './outage-child.ts';

const STOP_MS = 8_000;
/** Also on a machine that is busy with starting all of them. */
const COME_TO_WORK_MS = 60_000;
/** What Node says of an error that nobody caught comes with all that hangs on it. */
const LAST_WORDS = 65_536;

/** One contender in a process of its own, so that its end is seen and harms nobody else. */
export class OutageProcess {
  readonly who: string;
  readonly contender: string;
  readonly requests: RequestReport[] = [];
  readonly attempts: number[] = [];
  hanging = 0;
  /** What it ended with, when it did so by itself. */
  died: string | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #words = '';
  #stopping = false;

  constructor(task: OutageTask) {
    this.who = task.who;
    this.contender = task.contender;
    this.#child = fork(new URL('outage-child.ts', import.meta.url), {
      execArgv: ['--conditions=@dal/source'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#words = `${this.#words}${text.toString()}`.slice(-LAST_WORDS);
    });
    this.#child.on('message', (message) => this.#hear(message as FromChild));
    this.#child.on('error', () => undefined);
    this.#exited = once(this.#child, 'close');
    // Not `exit`: its last words may still be on their way then.
    this.#child.once('close', (status, signal) => {
      if (!this.#stopping) this.died ??= this.#lastWords() ?? signal ?? `status ${status}`;
    });
    this.tell({ start: task });
  }

  tell(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Resolves when that many requests are done; who never comes to it is as good as dead. */
  async comesToWork(wanted: number): Promise<void> {
    const endsAt = performance.now() + COME_TO_WORK_MS;
    while (this.died === undefined && this.#done() < wanted) {
      if (performance.now() > endsAt) this.died = `it did not come to work. ${this.#lastWords()}`;
      await sleep(20);
    }
  }

  #done(): number {
    return this.requests.filter(({ told }) => told === 'done').length;
  }

  async stop(): Promise<void> {
    if (this.died === undefined) {
      this.#stopping = true;
      this.tell('stop');
    }
    await Promise.race([this.#exited, sleep(STOP_MS, undefined, { ref: false })]);
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #hear({ requests, attempts, hanging }: FromChild): void {
    this.requests.push(...requests);
    this.attempts.push(...attempts);
    this.hanging = hanging ?? this.hanging;
  }

  #lastWords(): string | undefined {
    // What was thrown stands below the line of code that Node shows with a mark under it.
    const thrown = /\^\n\n(.+)$/m.exec(this.#words)?.[1];
    const known = thrown ?? /^(?:\w*Error|error): .*$/m.exec(this.#words)?.[0];
    return known ?? (this.#words.trim().split('\n', 1)[0]?.slice(0, 200) || undefined);
  }
}
