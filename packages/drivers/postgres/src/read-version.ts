import type { DriverVersion } from '@dal/core';
import type { Ask } from './end-session.ts';
import { pgVersion } from './pg-client.ts';

/** What the server calls itself: relatives of PostgreSQL say so. */
export async function readVersion(ask: Ask): Promise<DriverVersion> {
  const [[said]] = (await ask('SELECT version()')) as [[string]];
  const [product, serverVersion] = said.replace(/^(\w+) CCL v/, '$1 ').split(' ');
  const flavor = /cockroach/i.test(said) ? 'cockroachdb' : /-YB-/.test(said) ? 'yugabyte' : product;
  return {
    serverVersion: serverVersion ?? said,
    flavor: flavor === 'PostgreSQL' || flavor === undefined ? 'postgres' : flavor.toLowerCase(),
    driver: 'pg',
    driverVersion: pgVersion(),
  };
}
