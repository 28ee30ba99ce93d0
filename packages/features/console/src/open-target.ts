import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, type Database } from '@dal/core';

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
  try {
    return (await import(/* @vite-ignore */ PACKAGE)) as Factory;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  // A strict package manager shows it to the application that installed it, and not to us.
  try {
    const path = createRequire(join(process.cwd(), 'package.json')).resolve(PACKAGE);
    return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Factory;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new ConfigError(
      'To open a database by its URL, this command needs the package @dal/factory and a driver: npm install @dal/factory @dal/postgres (or @dal/mysql, @dal/sqlite).',
      { kind: 'usage', code: 'DAL_FACTORY_MISSING', cause: error },
    );
  }
}

/** True when the package itself is absent, not something that it needs. */
function isNotFound(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return isMissing && typeof message === 'string' && message.includes(`'${PACKAGE}'`);
}
