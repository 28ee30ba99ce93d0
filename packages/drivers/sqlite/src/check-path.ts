import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '@dal/core';
import type { SqliteSettings } from './sqlite-options.ts';

type Wishes = Pick<SqliteSettings, 'path' | 'readOnly' | 'createIfMissing'>;

/**
 * Looks whether the file can be opened, for SQLite itself only says "unable to open database file".
 *
 * @throws ConfigError
 */
export async function checkPath(wishes: Wishes): Promise<void> {
  const nothing = (): undefined => undefined;
  const file = await stat(wishes.path).catch(nothing);
  judge(wishes, file, file ?? (await stat(dirname(wishes.path)).catch(nothing)));
}

/** The same at once. @throws ConfigError */
export function checkPathSync(wishes: Wishes): void {
  const look = (path: string): Stats | undefined => {
    try {
      return statSync(path);
    } catch {
      return undefined;
    }
  };
  const file = look(wishes.path);
  judge(wishes, file, file ?? look(dirname(wishes.path)));
}

function judge(
  { path, readOnly, createIfMissing }: Wishes,
  file: Stats | undefined,
  folder: Stats | undefined,
): void {
  if (file?.isDirectory()) throw wrongPath(`${path} is a folder, not a file.`);
  if (file !== undefined) return;
  if (!folder?.isDirectory()) {
    throw wrongPath(
      `The folder ${dirname(path)} does not exist. Make it first; SQLite makes only the file.`,
    );
  }
  if (readOnly) throw wrongPath(`There is no file ${path}, and readOnly makes none.`);
  if (!createIfMissing) throw wrongPath(`There is no file ${path}, and createIfMissing is false.`);
}

function wrongPath(words: string): ConfigError {
  return new ConfigError(words, { code: 'DAL_SQLITE_PATH', kind: 'usage' });
}
