import { readFileSync } from 'node:fs';
import { runProgram } from './run-program.ts';

export interface ServerUser {
  uid: number;
  gid: number;
}

/**
 * The user for servers that refuse to run as root: `postgres` where that exists, else `nobody`.
 * `undefined` when this process is not root, so that servers run as its own user.
 */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody".');
}

/** Gives files to the user that the server runs as; does nothing when that is this user. */
export async function giveTo(user: ServerUser | undefined, ...paths: string[]): Promise<void> {
  if (user !== undefined) await runProgram('chown', ['-R', `${user.uid}:${user.gid}`, ...paths]);
}
