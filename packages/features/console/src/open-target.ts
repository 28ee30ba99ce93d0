import { ConfigError, type Database, importInstalled } from '@dal/core';

interface Factory {
  createDatabase(url: string | undefined, options: typeof OPTIONS): Promise<Database>;
}

/** It asks now and then, and takes no more places of a server in need than it has to. */
const OPTIONS = { pool: { max: 2 } } as const;

/**
 * Opens the database that the command line names, else the environment's (`DATABASE_URL` and so on).
 * Only the command line needs a URL, so `@dal/factory` is loaded when it is wanted.
 *
 * @throws ConfigError `DAL_FACTORY_MISSING` with what to install
 */
export async function openTarget(url: string | undefined): Promise<Database> {
  const { createDatabase } = await loadFactory();
  return createDatabase(url, OPTIONS);
}

const PACKAGE = '@dal/factory';

async function loadFactory(): Promise<Factory> {
  const found = await importInstalled(PACKAGE, (name) => import(/* @vite-ignore */ name));
  if (found !== undefined) return found as Factory;
  throw new ConfigError(
    'To open a database by its URL, this command needs the package @dal/factory and a driver: npm install @dal/factory @dal/postgres (or @dal/mysql, @dal/sqlite).',
    { kind: 'usage', code: 'DAL_FACTORY_MISSING' },
  );
}
