import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Fence } from './pages.ts';

// Inside the repository, so that imports of our packages lead to this working tree.
const scratch = join(import.meta.dirname, '.snippets');

/** How programs ended. */
export interface Outcome {
  readonly exit: unknown;
  /** Warnings count. */
  readonly stderr: string;
}

/**
 * Runs programs one after another in one process: to start one costs more than what most of them do.
 * One that fails is named in `stderr`; one that ends the process keeps the others from running, and
 * that is an error too.
 */
export async function runPrograms(
  fences: readonly Fence[],
  url: string | undefined,
): Promise<Outcome> {
  return inScratch(async (folder) => {
    const files = fences.map((fence) => writeFence(folder, fence));
    writeFileSync(join(folder, 'all.ts'), oneAfterAnother(files));
    const child = spawn(process.execPath, ['--conditions=@dal/source', 'all.ts'], {
      cwd: folder,
      env: { ...plainEnvironment(), ...(url === undefined ? {} : { DATABASE_URL: url }) },
      stdio: ['ignore', 'ignore', 'pipe'],
      // What does not end by itself has left something open.
      timeout: 40_000,
      killSignal: 'SIGKILL',
    });
    const stderr = text(child.stderr);
    const [exit, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { exit: exit ?? signal, stderr: await stderr };
  });
}

/** @returns a folder of its own, which is gone afterwards */
export async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'run-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    try {
      rmdirSync(scratch);
    } catch {
      // Another run is using it.
    }
  }
}

/** @returns the name of the file, which says where the program stands */
export function writeFence(folder: string, { page, line, content }: Fence): string {
  const file = `${page.replaceAll(/[^\w]+/g, '-')}-${line}.ts`;
  writeFileSync(join(folder, file), content);
  return file;
}

function oneAfterAnother(files: readonly string[]): string {
  const imports = files.map((file) => `left--;\nawait import('./${file}');`);
  return `let left = ${files.length};
process.on('exit', () => {
  if (left > 0) process.exitCode = 70;
});
${imports.join('\n')}
`;
}

/** What a stranger's shell would have: nothing of the test runner's, no database. */
function plainEnvironment(): Record<string, string | undefined> {
  const ours = /^(?:DATABASE_|DAL_|VITEST|NODE_(?!COMPILE_CACHE)|npm_|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
