import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from './build-once.ts';
import { cacheFolder } from './cache-folder.ts';
import { runProgram } from './run-program.ts';

/**
 * Copies prepared data into a folder. The first time, `build` prepares it: it fills its folder so
 * that `dal` may log in with `password` and finds a database called `dal`.
 *
 * @param name tells apart whatever cannot share data: kind, version, origin
 * @returns the password of the prepared user
 */
export async function copyTemplate(
  name: string,
  target: string,
  build: (draft: string, password: string) => Promise<void>,
): Promise<string> {
  const template = join(cacheFolder(), 'templates', name);
  await buildOnce(template, async (draft) => {
    const password = randomBytes(12).toString('hex');
    const fresh = join(draft, 'fresh');
    await build(fresh, password);
    // New databases are mostly zeros. Stored as holes they cost no copy any time after.
    await copyFolder(fresh, join(draft, 'data'), { digsHoles: true });
    await rm(fresh, { recursive: true });
    await writeFile(join(draft, 'password'), password, { mode: 0o600 });
  });
  await copyFolder(join(template, 'data'), target);
  return readFile(join(template, 'password'), 'utf8');
}

/** Copies a folder with everything in it; shares blocks where the file system can. */
export async function copyFolder(
  from: string,
  to: string,
  { digsHoles = false }: { digsHoles?: boolean } = {},
): Promise<void> {
  const sparse = digsHoles ? '--sparse=always' : '--reflink=auto';
  const flags = process.platform === 'linux' ? ['-a', sparse] : ['-Rp'];
  await runProgram('cp', [...flags, from, to]);
}
