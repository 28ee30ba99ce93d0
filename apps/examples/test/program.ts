import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PATIENCE_MS = 25_000;

/** What a program said, and how it ended. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly stderr: string;
  readonly code: number | null;
}

/** An example as its users run it: a process with an environment. */
export class Program implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly lines: string[] = [];
  readonly #ended: Promise<Outcome>;
  #stderr = '';

  /** @param flags for Node itself */
  constructor(example: string, env: Record<string, string>, flags: readonly string[] = []) {
    const main = join(import.meta.dirname, '../src', example, 'main.ts');
    this.process = spawn(process.execPath, ['--conditions=@dal/source', ...flags, main], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface(this.process.stdout!).on('line', (line) => this.lines.push(line));
    this.process.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#ended = this.#end();
  }

  /** Waits until it says something like that; throws with all it said when it ends before. */
  async line(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await until(async () => {
      found = this.lines.find((line) => pattern.test(line));
      return (
        found !== undefined || this.process.exitCode !== null || this.process.signalCode !== null
      );
    });
    if (found !== undefined) return found;
    const { lines, stderr } = await this.#ended;
    throw new Error([`It never said ${String(pattern)}:`, ...lines, stderr].join('\n'));
  }

  ended(): Promise<Outcome> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL');
    await this.#ended;
  }

  async #end(): Promise<Outcome> {
    const [code] = (await once(this.process, 'close')) as [number | null];
    return { lines: this.lines, stderr: this.#stderr, code };
  }
}

/** Asks again until the answer is yes. It gives up before the test does, so that nothing stays behind. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const patience = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > patience) throw new Error(`It never became so: ${String(isSo)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Runs an example to its end, which has to be a good one. */
export async function run(
  example: string,
  env: Record<string, string>,
  flags: readonly string[] = [],
): Promise<readonly string[]> {
  await using program = new Program(example, env, flags);
  const { lines, stderr, code } = await program.ended();
  if (code === 0 && stderr === '') return lines;
  throw new Error([`${example} ended with ${code}:`, ...lines, stderr].join('\n'));
}
