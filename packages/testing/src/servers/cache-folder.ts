import { accessSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * The folder for what is worth keeping between runs: downloaded servers and prepared data.
 * `DAL_SERVERS_CACHE` names another one; deleting it is always safe.
 */
export function cacheFolder(): string {
  const named = process.env['DAL_SERVERS_CACHE'];
  if (named) {
    mkdirSync(named, { recursive: true });
    return named;
  }
  try {
    const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
    const folder = join(caches, 'dal-servers');
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    // No home folder, or one that cannot be written: usual in containers.
    return publicCacheFolder();
  }
}

/** A cache that every user of the machine can read, and only this user can write. */
export function publicCacheFolder(): string {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `dal-servers-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  // Others may write to the folder around it, and programs from in here are going to be run.
  const found = lstatSync(folder);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid) || (found.mode & 0o022) !== 0) {
    throw new Error(`${folder} is not a folder that only this user can write. Remove it.`);
  }
  return folder;
}
