import { ConfigError } from '@dal/core';

/** In one file with the program, neither the worker nor the driver can be loaded without it. */
export function bundled(): ConfigError {
  return new ConfigError(
    'Blocking calls load @dal/sync and the driver in a worker thread, and a bundler has packed them into the program. Mark the packages @dal/* as external.',
    { kind: 'usage', code: 'DAL_SYNC_BUNDLED' },
  );
}
