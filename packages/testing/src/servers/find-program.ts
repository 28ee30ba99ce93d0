import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/**
 * All programs of that name on `PATH` and in the places where servers usually lie, links resolved,
 * the ones on `PATH` first.
 */
export function findPrograms(name: string): string[] {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const found = new Set<string>();
  for (const folder of [...onPath, ...usualFolders()]) {
    const file = join(folder, name);
    if (isProgram(file)) found.add(realpathSync(file));
  }
  return [...found];
}

/** Whether any user of the machine can run a program or list a folder, whoever owns it. */
export function isPublic(path: string): boolean {
  const { mode } = statSync(path);
  if ((mode & 0o005) !== 0o005) return false;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function usualFolders(): string[] {
  return [
    '/usr/sbin',
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/libexec',
    '/usr/local/mysql/bin',
    '/opt/homebrew/bin',
    ...newestFirst('/usr/lib/postgresql', 'bin'),
    ...newestFirst('/opt/homebrew/opt', 'bin', /^(postgresql|mysql|mariadb)(@|$)/),
    ...newestFirst('/usr/local/opt', 'bin', /^(postgresql|mysql|mariadb)(@|$)/),
  ];
}

function newestFirst(folder: string, below: string, names = /./): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => names.test(name))
      .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((name) => join(folder, name, below));
  } catch {
    return [];
  }
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
