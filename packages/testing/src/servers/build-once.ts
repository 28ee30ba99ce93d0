import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './processes.ts';

/**
 * Makes sure that a folder exists, complete: `build` fills a draft, which then gets the folder's
 * name. Processes that want the same folder at the same time wait for the first one.
 *
 * @throws Error when another process does not finish within `timeoutMs`
 */
export async function buildOnce(
  folder: string,
  build: (draft: string) => Promise<void>,
  { timeoutMs = 600_000 }: { timeoutMs?: number } = {},
): Promise<string> {
  const lock = `${folder}.lock`;
  const deadline = performance.now() + timeoutMs;
  await mkdir(dirname(folder), { recursive: true });
  while (!existsSync(folder)) {
    if (await take(lock)) {
      try {
        if (!existsSync(folder)) await buildDraft(folder, build);
      } finally {
        await rm(lock, { recursive: true, force: true });
      }
    } else if (performance.now() > deadline) {
      throw new Error(`Another process has been building ${folder} for too long. Remove ${lock}.`);
    } else {
      await sleep(100);
    }
  }
  return folder;
}

async function buildDraft(folder: string, build: (draft: string) => Promise<void>): Promise<void> {
  await removeAbandonedDrafts(folder);
  const draft = `${folder}.draft-${process.pid}`;
  await mkdir(draft);
  try {
    await build(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Should the lock ever fail to hold two builders apart, the first one wins.
    if (!existsSync(folder)) throw error;
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    await writeFile(join(lock, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => 0));
  const since = (await stat(lock).catch(() => undefined))?.mtimeMs ?? Date.now();
  // Without a pid its owner died, or has made it just now and is about to write the pid.
  const isAbandoned = owner > 0 ? !isAlive(owner) : Date.now() - since > 5_000;
  if (isAbandoned) await rm(lock, { recursive: true, force: true });
  return false;
}

async function removeAbandonedDrafts(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.draft-`;
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(prefix) || isAlive(Number(name.slice(prefix.length)))) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}
