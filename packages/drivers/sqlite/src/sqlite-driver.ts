import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError, defineDriver, type Driver } from '@dal/core';
import { openInlineLine } from './inline-line.ts';
import { openProcessLine } from './process-line.ts';
import type { SqliteRaw } from './session-line.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { classifySqliteError } from './sqlite-faults.ts';
import { readSqliteOptions, type SqliteSettings } from './sqlite-options.ts';

/** SQLite through better-sqlite3. */
export const sqliteDriver: Driver<SqliteSettings, SqliteRaw> = defineDriver({
  name: 'sqlite',
  schemes: ['sqlite:', 'file:'],
  dialect: sqliteDialect,
  configure: readSqliteOptions,
  classify: classifySqliteError,

  poolOptions({ memory, runsIn }) {
    if (memory) return { max: 1, keepOne: true };
    // Two sessions of one thread would wait for each other's locks with nobody left to free them.
    return runsIn === 'inline' ? { max: 1 } : {};
  },

  async connect(settings, lost) {
    if (settings.memory) warnOfLoss(settings.memory);
    else await checkPath(settings);
    const open = settings.runsIn === 'inline' ? openInlineLine : openProcessLine;
    const line = await open(settings, lost);
    if (settings.memory) settings.memory.opened += 1;
    return new SqliteConnection(line, settings);
  },
});

/** SQLite only says "unable to open database file". */
async function checkPath({ path, readOnly, createIfMissing }: SqliteSettings): Promise<void> {
  const file = await stat(path).catch(() => undefined);
  if (file?.isDirectory()) throw wrongPath(`${path} is a folder, not a file.`);
  if (file !== undefined) return;
  const folder = dirname(path);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
    throw wrongPath(
      `The folder ${folder} does not exist. Make it first; SQLite makes only the file.`,
    );
  }
  if (readOnly) throw wrongPath(`There is no file ${path}, and readOnly makes none.`);
  if (!createIfMissing) throw wrongPath(`There is no file ${path}, and createIfMissing is false.`);
}

function wrongPath(words: string): ConfigError {
  return new ConfigError(words, { code: 'DAL_SQLITE_PATH', kind: 'usage' });
}

function warnOfLoss({ opened }: { readonly opened: number }): void {
  if (opened === 0) return;
  process.emitWarning(
    'A database in memory begins anew, empty: its session was stopped or ended, and its data with it.',
    { code: 'DAL_SQLITE_MEMORY_LOST' },
  );
}
