import type { PostgresOptions } from './postgres-options.ts';

/**
 * What is said at login instead of with `SET` afterwards: it costs no round trip, and it is what
 * DISCARD ALL goes back to.
 */
export function startupParameters(options: PostgresOptions): Readonly<Record<string, string>> {
  return {
    user: options.user,
    database: options.database,
    ...(options.applicationName ? { application_name: options.applicationName } : {}),
    // Poolers know these and keep them for each client; `pg` adds client_encoding UTF8.
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    // Poolers refuse all others.
    ...(options.pooler === 'none' ? sessionParameters(options) : {}),
    ...(options.options ? { options: options.options } : {}),
  };
}

function sessionParameters({ readOnly }: PostgresOptions): Readonly<Record<string, string>> {
  return {
    // A role may have other settings, which lose digits or write bytes another way.
    extra_float_digits: '1',
    bytea_output: 'hex',
    ...(readOnly ? { default_transaction_read_only: 'on' } : {}),
  };
}
