import { spawn } from 'node:child_process';

export interface RunOptions {
  /** Written to the program's standard input. */
  input?: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** @default 60_000 */
  timeoutMs?: number;
}

/**
 * Runs a program to its end and answers what it wrote to standard output.
 *
 * @throws Error with the program's last words when it fails, is missing or takes too long
 */
export function runProgram(
  file: string,
  args: readonly string[],
  { input = '', timeoutMs = 60_000, ...options }: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const program = spawn(file, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    let words = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      program.kill('SIGKILL');
    }, timeoutMs);
    program.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    program.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4_000);
    });
    // A program that ends before it has read everything is judged by its exit code.
    program.stdin.on('error', () => undefined).end(input);
    program.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    program.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(output);
      const end = late ? `took longer than ${timeoutMs} ms` : `ended with ${code ?? signal}`;
      const said = (words || output.slice(-4_000)).trim();
      reject(new Error(`${file} ${end}${said === '' ? '' : `:\n${said}`}`));
    });
  });
}
