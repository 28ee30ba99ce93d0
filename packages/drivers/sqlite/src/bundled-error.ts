import { ConfigError } from '@dal/core';

/** In one file with the program, there is no file to start a process from. */
export function bundledError(): ConfigError {
  return new ConfigError(
    'SQLite runs in a process that starts from a file of @dal/sqlite, and a bundler has packed that package into the program. Mark "@dal/sqlite" as external and install it beside the bundle.',
    { kind: 'usage', code: 'DAL_SQLITE_BUNDLED' },
  );
}
