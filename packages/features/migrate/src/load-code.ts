import { pathToFileURL } from 'node:url';
import { MigrationError, shown } from './migration-error.ts';
import type { Migration } from './read-migration.ts';
import type { CodeContext } from './run-migration.ts';

/** One direction of a migration in TypeScript or JavaScript. */
export interface LoadedCode {
  readonly run: (context: CodeContext) => unknown;
  /** What the file itself asks for with `export const transaction`. */
  readonly transaction: boolean | undefined;
}

/** @throws MigrationError `DAL_MIGRATION_FILES`, `DAL_MIGRATION_NO_DOWN` */
export async function loadCode(
  { path, file, name, checksum }: Migration,
  direction: 'up' | 'down',
): Promise<LoadedCode> {
  // With the checksum, so that a file that changed is read again by the same process.
  const url = `${pathToFileURL(path).href}?${checksum.slice(0, 16)}`;
  const module = await importModule(url, file, name);
  const run = module[direction];
  const { transaction } = module;
  if (run === undefined && direction === 'down') {
    throw new MigrationError(`${shown(file)} exports no "down". Nothing was run.`, {
      code: 'DAL_MIGRATION_NO_DOWN',
      migration: name,
    });
  }
  if (typeof run !== 'function') {
    throw wrong(file, name, `needs: export async function ${direction}({ db, signal }) { ... }`);
  }
  if (transaction !== undefined && typeof transaction !== 'boolean') {
    throw wrong(file, name, 'exports "transaction", which must be true or false');
  }
  return { run: run as LoadedCode['run'], transaction };
}

type Exports = Readonly<Record<string, unknown>>;

async function importModule(url: string, file: string, name: string): Promise<Exports> {
  try {
    const module = (await import(/* @vite-ignore */ url)) as Exports;
    // A CommonJS file whose exports Node could not read ahead has them all in `default`.
    const inner = module['default'];
    return module['up'] === undefined && typeof inner === 'object' && inner !== null
      ? (inner as Exports)
      : module;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const advice =
      code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? ' This Node runs no TypeScript by itself: use 22.18 or newer, or node --experimental-strip-types.'
        : '';
    const words = error instanceof Error ? error.message : String(error);
    throw wrong(file, name, `could not be loaded: ${words.slice(0, 500)}.${advice}`, error);
  }
}

function wrong(file: string, name: string, what: string, cause?: unknown): MigrationError {
  return new MigrationError(`${shown(file)} ${what} Nothing was run.`, {
    code: 'DAL_MIGRATION_FILES',
    migration: name,
    cause,
  });
}
