import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suggest } from '@dal/core';
import { filesError, shown } from './migration-error.ts';

/** A migration as its files say, unread. */
export interface MigrationFile {
  /** The number as a number: `0004` and `4` are the same. */
  readonly number: bigint;
  /** `0004_add_email`, composed as Unicode's NFC wherever the file comes from. */
  readonly name: string;
  readonly kind: 'sql' | 'code';
  /** The file's name; of a pair the `.up.sql`. */
  readonly file: string;
  readonly path: string;
  /** The `.down.sql` of a pair. */
  readonly downFile: string | undefined;
  readonly downPath: string | undefined;
}

/**
 * The migrations of a folder in the order of their numbers. Files that are no migrations by their
 * ending (`.md`, `.json`, `.d.ts`, names that begin with a dot) are left alone; one that looks like a
 * migration and is not named like one is refused, for it would silently never run.
 *
 * @throws MigrationError `DAL_MIGRATION_FILES`
 */
export async function readMigrationFiles(dir: string | URL): Promise<MigrationFile[]> {
  const folder = resolve(typeof dir === 'string' ? dir : fileURLToPath(dir));
  const named: NamedFile[] = [];
  for (const entry of await entriesOf(folder)) {
    if (isSomethingElse(entry)) continue;
    // Follows links: mounted configuration consists of them.
    if (!(await stat(join(folder, entry))).isFile()) continue;
    named.push(readName(entry));
  }
  return paired(folder, named).toSorted((a, b) => (a.number < b.number ? -1 : 1));
}

/** Number and name in front of the ending. */
export const NAME_PATTERN: RegExp = /^(\d{1,20})([_-][\p{L}\p{M}\p{N} ._-]*)?$/u;
/** Longer ones don't fit the key of the history on every engine. */
export const MAX_NAME_LENGTH = 180;
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The text of a file, by the rule of checksums: without a byte order mark, lines end with LF. */
export async function readText(path: string, file: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_FILE_BYTES) {
    throw filesError(`${file} has ${size} bytes; ${MAX_FILE_BYTES} are the most.`);
  }
  const bytes = await readFile(path);
  try {
    // Leaves the byte order mark away.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n');
  } catch (error) {
    throw filesError(`${file} is not UTF-8 text (${(error as Error).message}).`);
  }
}

interface NamedFile {
  readonly entry: string;
  readonly number: bigint;
  readonly name: string;
  readonly ending: string;
  readonly part: 'up' | 'down' | undefined;
}

const CODE_ENDINGS = new Set(['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']);

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw filesError(`There is no folder ${shown(folder)} with migrations.`);
  }
}

function isSomethingElse(entry: string): boolean {
  const ending = entry.slice(entry.lastIndexOf('.') + 1);
  const isMigration = entry.includes('.') && (ending === 'sql' || CODE_ENDINGS.has(ending));
  return entry.startsWith('.') || !isMigration || /\.d\.[mc]?ts$/.test(entry);
}

function readName(entry: string): NamedFile {
  const dot = entry.lastIndexOf('.');
  const ending = entry.slice(dot + 1);
  const stem = entry.slice(0, dot).normalize('NFC');
  const part = ending === 'sql' ? /\.(up|down)$/.exec(stem)?.[1] : undefined;
  const name = part === undefined ? stem : stem.slice(0, -part.length - 1);
  const number = NAME_PATTERN.exec(name)?.[1];
  if (number === undefined) {
    throw filesError(
      `${shown(entry)} is not named like a migration. Names begin with a number, such as 0004_add_email.sql, and are made of letters, digits, "_", "-", "." and spaces.`,
    );
  }
  if (name.length > MAX_NAME_LENGTH) {
    throw filesError(`The name of ${shown(entry)} is longer than ${MAX_NAME_LENGTH} characters.`);
  }
  return { entry, number: BigInt(number), name, ending, part: part as NamedFile['part'] };
}

function paired(folder: string, files: readonly NamedFile[]): MigrationFile[] {
  const byNumber = new Map<bigint, NamedFile[]>();
  for (const file of files) byNumber.set(file.number, [...(byNumber.get(file.number) ?? []), file]);
  return [...byNumber.values()].map((same) => {
    const down = same.find(({ part }) => part === 'down');
    const ups = same.filter((file) => file !== down);
    const [up, second] = ups;
    if (up === undefined) {
      throw filesError(`${shown(down?.entry ?? '')} has no .up.sql beside it.`, down?.name);
    }
    if (second !== undefined) {
      throw filesError(
        `${shown(up.entry)} and ${shown(second.entry)} have the same number. Give one of them another.`,
        up.name,
      );
    }
    if (down && (up.part !== 'up' || up.name !== down.name)) {
      throw filesError(`${shown(down.entry)} has no ${shown(`${down.name}.up.sql`)} beside it.`);
    }
    return {
      number: up.number,
      name: up.name,
      kind: up.ending === 'sql' ? 'sql' : 'code',
      file: up.entry,
      path: join(folder, up.entry),
      downFile: down?.entry,
      downPath: down && join(folder, down.entry),
    } satisfies MigrationFile;
  });
}

/**
 * The migration that a user means by its number or name.
 *
 * @throws MigrationError `DAL_MIGRATION_UNKNOWN`
 */
export function findByWord<T extends { readonly name: string }>(
  word: string,
  among: readonly T[],
): T {
  const wanted = word.normalize('NFC').replace(/(?:\.(?:up|down))?\.(?:sql|[mc]?[jt]s)$/, '');
  const isNumber = /^\d{1,20}$/.test(wanted);
  const found =
    among.find(({ name }) => name === wanted) ??
    (isNumber ? among.find(({ name }) => numberOf(name) === BigInt(wanted)) : undefined);
  if (found) return found;
  const likely = suggest(
    wanted,
    among.map(({ name }) => name),
  );
  throw filesError(
    `There is no migration ${shown(word)}.${likely === undefined ? '' : ` Did you mean "${likely}"?`}`,
  );
}

/** The number that a name begins with. */
export function numberOf(name: string): bigint {
  return BigInt(/^\d{1,20}/.exec(name)?.[0] ?? '0');
}
