import { basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { defineDriver, type Driver } from '@dal/core';
import { TheVendorConnection } from './the-vendor-connection.ts';
import { theVendorDialect } from './the-vendor-dialect.ts';
import { classifyTheVendorError } from './the-vendor-faults.ts';
import { readTheVendorOptions, type TheVendorSettings } from './the-vendor-options.ts';

/** TheVendor for DAL. */
export const theVendorDriver: Driver<TheVendorSettings, DatabaseSync> = defineDriver({
  name: 'the-vendor',
  schemes: ['the-vendor:'],
  dialect: theVendorDialect,
  configure: readTheVendorOptions,
  classify: classifyTheVendorError,

  // TODO Drop this for a server. node:sqlite works in the thread of its caller: a second session would
  // wait for the first one's lock, with nobody left to free it.
  poolOptions: () => ({ max: 1 }),

  // TODO Open a session with your library. It ends within the options' connectTimeoutMs, tells `lost`
  // (the second parameter) once when the session ends by itself, and gives the attempt up when `signal`
  // (the third) says so.
  async connect(settings) {
    const database = new DatabaseSync(settings.path, { timeout: settings.busyTimeoutMs });
    // Readers and the writer don't wait for each other.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    return new TheVendorConnection(database, settings);
  },

  describe: ({ path }) => ({
    system: 'the-vendor',
    namespace: basename(path),
    address: undefined,
    port: undefined,
  }),
});
