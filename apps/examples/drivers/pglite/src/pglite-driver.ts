import { basename } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { abortError, defineDriver, type Driver } from '@dal/core';
import { enterEngine } from './engine.ts';
import { PgliteConnection } from './pglite-connection.ts';
import { pgliteDialect } from './pglite-dialect.ts';
import { classifyPgliteError } from './pglite-faults.ts';
import { type PgliteSettings, readPgliteOptions } from './pglite-options.ts';

/** PGlite for DAL: PostgreSQL in this very process. */
export const pgliteDriver: Driver<PgliteSettings, PGlite> = defineDriver({
  name: 'pglite',
  schemes: ['pglite:'],
  dialect: pgliteDialect,
  configure: readPgliteOptions,
  classify: classifyPgliteError,

  // There is one session, and opening it again takes long.
  poolOptions: () => ({ max: 1, keepOne: true }),

  async connect(settings, _lost, signal) {
    if (signal?.aborted) throw abortError(signal, 'Connecting');
    const { path } = settings;
    const engine = await enterEngine(path === ':memory:' ? settings : path, path);
    const connection = new PgliteConnection(engine, settings);
    if (engine.holder === undefined) await connection.reset();
    if (!signal?.aborted) return connection;
    await connection.close();
    throw abortError(signal, 'Connecting');
  },

  describe: ({ path }) => ({
    system: 'postgresql',
    namespace: basename(path),
    address: undefined,
    port: undefined,
  }),
});
