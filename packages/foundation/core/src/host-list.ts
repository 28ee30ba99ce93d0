import { type Host, readHost } from './connection-url.ts';
import { ConfigError } from './errors.ts';
import { wrongOption } from './read-options.ts';

/** More servers than any cluster has are a mistake. */
const MOST_HOSTS = 32;

/** A host with its port, ready to be called. */
export interface HostAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads one host or several: `'db'`, `'db:5433'`, `'a:5432,b'`, `['a:5432', 'b']`. A path stays as it
 * is; an IPv6 address with a port is written `[::1]:5432`.
 *
 * @throws ConfigError
 */
export function readHostList(value: unknown, where: string): readonly Host[] {
  const list: unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(',')
      : [undefined];
  if (list.length === 0 || list.length > MOST_HOSTS) {
    throw wrongOption(where, `a host or a list of up to ${MOST_HOSTS}`, value);
  }
  return list.map((item) => {
    if (typeof item !== 'string') throw wrongOption(where, 'a host or a list of hosts', value);
    const text = item.trim();
    if (text.startsWith('/') || /^[^[\]]*:[^\]]*:/.test(text)) return { host: text };
    if (text === '') return { host: '' };
    return readHost(text);
  });
}

/** Gives each host its port; two that are the same are a mistake. @throws ConfigError */
export function hostAddresses(
  hosts: readonly Host[],
  port: number,
  fallback: string,
  where: string,
): readonly HostAddress[] {
  const addresses = hosts.map((one) => ({ host: one.host || fallback, port: one.port ?? port }));
  const names = new Set(addresses.map(nameOfHost));
  if (names.size < addresses.length) {
    throw new ConfigError(`${where} names the same server twice.`, {
      kind: 'usage',
      code: 'DAL_CONFIG_VALUE',
    });
  }
  return addresses;
}

/** `db:5432`, `[::1]:5432`. */
export function nameOfHost({ host, port }: HostAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
