import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesError, shown } from './migration-error.ts';
import { NAME_PATTERN, MAX_NAME_LENGTH, readMigrationFiles } from './migration-files.ts';

export interface CreateMigrationOptions {
  readonly dir: string | URL;
  /** Default: `sql`. */
  readonly type?: 'sql' | 'ts' | 'js';
}

/**
 * Writes an empty migration and answers its path. Its number goes on from the folder's own: after
 * `0007` comes `0008`, after a timestamp a timestamp (UTC).
 *
 * @throws MigrationError `DAL_MIGRATION_FILES` for a name that can't be one
 */
export async function createMigration(
  title: string,
  { dir, type = 'sql' }: CreateMigrationOptions,
): Promise<string> {
  const folder = resolve(typeof dir === 'string' ? dir : fileURLToPath(dir));
  await mkdir(folder, { recursive: true });
  const name = `${await nextNumber(folder)}_${title.trim().replaceAll(/\s+/g, '_')}`;
  if (title.trim() === '' || !NAME_PATTERN.test(name) || name.length > MAX_NAME_LENGTH) {
    throw filesError(
      `${shown(title)} can't be the name of a migration: use letters, digits, "_", "-" and spaces.`,
    );
  }
  const path = join(folder, `${name}.${type}`);
  // Never over another one, also when two people are as fast as each other.
  await writeFile(path, type === 'sql' ? SQL : type === 'ts' ? TS : JS, { flag: 'wx' });
  return path;
}

const TIMESTAMP_LENGTH = 14;

async function nextNumber(folder: string): Promise<string> {
  const isEmpty = (await readdir(folder)).length === 0;
  const last = isEmpty ? undefined : (await readMigrationFiles(folder)).at(-1);
  if (last === undefined) return '0001';
  const digits = /^\d+/.exec(last.name)?.[0] ?? '';
  if (digits.length < TIMESTAMP_LENGTH) {
    return String(last.number + 1n).padStart(digits.length, '0');
  }
  const now = new Date().toISOString().replaceAll(/\D/g, '').slice(0, Math.min(17, digits.length));
  return BigInt(now) > last.number ? now : String(last.number + 1n);
}

const SQL = `-- migrate:up


-- migrate:down

`;

const TS = `import type { MigrationContext } from '@dal/migrate';

export async function up({ db }: MigrationContext): Promise<void> {
  await db.execute('');
}

export async function down({ db }: MigrationContext): Promise<void> {
  await db.execute('');
}
`;

const JS = `/** @param {import('@dal/migrate').MigrationContext} context */
export async function up({ db }) {
  await db.execute('');
}

/** @param {import('@dal/migrate').MigrationContext} context */
export async function down({ db }) {
  await db.execute('');
}
`;
