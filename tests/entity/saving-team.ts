import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Job } from './saving-process.ts';

const program = join(import.meta.dirname, 'saving-process.ts');

/** Programs on the same database, which get their tasks all at the same moment. */
export class SavingTeam implements AsyncDisposable {
  readonly #members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.#members = members;
  }

  /** Comes when all of them have connected. */
  static async start(url: string, programs: number): Promise<SavingTeam> {
    const members = Array.from({ length: programs }, () => new Member(url));
    await Promise.all(members.map((member) => member.said((words) => words === 'ready')));
    return new SavingTeam(members);
  }

  /** What the task gave in each of them. @throws Error with what a program wrote when it failed */
  async run<T>(task: Job['task'], count = 1): Promise<T[]> {
    this.#tell(task, count);
    const answers = this.#members.map((member) => member.said(isResult));
    return (await Promise.all(answers)).map(({ result }) => result as T);
  }

  /** Lets them work until each is under way, and kills each of them some ms after that. */
  async runAndKill(task: Job['task'], afterMs: () => number): Promise<void> {
    this.#tell(task, 0);
    await Promise.all(this.#members.map((member) => member.said((words) => words === 'under way')));
    await Promise.all(this.#members.map((member) => member.kill(afterMs())));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member.kill(0)));
  }

  #tell(task: Job['task'], count: number): void {
    for (const [index, member] of this.#members.entries()) member.tell({ task, index, count });
  }
}

class Member {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #errors = '';

  constructor(url: string) {
    this.#child = fork(program, [url], {
      execArgv: ['--conditions=@dal/source'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#ended = once(this.#child, 'close');
  }

  tell(job: Job): void {
    this.#child.send(job);
  }

  /** The next message that is meant. */
  said<T>(isMeant: (words: unknown) => words is T): Promise<T>;
  said(isMeant: (words: unknown) => boolean): Promise<unknown>;
  said(isMeant: (words: unknown) => boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const listen = (words: unknown): void => {
        if (!isMeant(words)) return;
        this.#child.off('message', listen);
        resolve(words);
      };
      this.#child.on('message', listen);
      void this.#ended.then(() => reject(new Error(`A program ended: ${this.#errors}`)));
    });
  }

  /** @throws Error when it had ended by itself before */
  async kill(afterMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    if (this.#child.exitCode !== null) throw new Error(`A program ended: ${this.#errors}`);
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

function isResult(words: unknown): words is { readonly result: unknown } {
  return typeof words === 'object' && words !== null;
}
