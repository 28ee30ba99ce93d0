import { basename } from 'node:path';
import { abortError, defineDriver, type Driver } from '@dal/core';
import { checkPath } from './check-path.ts';
import { noticeOpening } from './memory-state.ts';
import { openInline } from './open-inline.ts';
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

  async connect(settings, lost, signal) {
    if (signal?.aborted) throw abortError(signal, 'Connecting');
    if (settings.runsIn === 'inline') return openInline(settings);
    if (settings.memory) noticeOpening(settings.memory);
    else await checkPath(settings);
    return new SqliteConnection(await openProcessLine(settings, lost, signal), settings);
  },

  connectSync(settings) {
    return settings.runsIn === 'inline' ? openInline(settings) : undefined;
  },

  describe: ({ path }) => ({
    system: 'sqlite',
    namespace: basename(path),
    address: undefined,
    port: undefined,
  }),

  module: import.meta.url,
});

export { sqliteDriver as driver };
