import { ConfigError } from './errors.ts';

export interface Host {
  readonly host: string;
  readonly port?: number;
}

export interface ConnectionUrl {
  /** With the colon: `postgres:`. */
  readonly scheme: string;
  readonly user?: string;
  readonly password?: string;
  readonly hosts: readonly Host[];
  /** What stands behind the host, percent-decoded; for files see the driver. */
  readonly database?: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const shape =
  /^(?<scheme>[a-z][a-z0-9+.-]*:)(?:\/\/(?:(?<login>[^@/?#]*)@)?(?<hosts>[^/?#]*))?(?:\/?(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/is;

/**
 * Reads `scheme://user:password@host:port,host2/database?parameter=value`.
 *
 * Written by hand because WHATWG's URL refuses host lists and IPv6 scopes of databases' URLs.
 *
 * @throws ConfigError, which never shows the password
 */
export function readUrl(url: string): ConnectionUrl {
  const parts = url.length <= 8_192 ? shape.exec(url.trim())?.groups : undefined;
  if (!parts?.['scheme']) {
    throw wrongUrl('It is not of the form "scheme://user:password@host:port/database".');
  }
  const [user, password] = splitOnce(parts['login'] ?? '', ':');
  const database = decode(parts['path'] ?? '', 'database');
  return {
    scheme: parts['scheme'].toLowerCase(),
    ...(user ? { user: decode(user, 'user') } : {}),
    ...(password === undefined ? {} : { password: decode(password, 'password') }),
    hosts: (parts['hosts'] ?? '').split(',').filter(Boolean).map(readHost),
    ...(database ? { database } : {}),
    parameters: Object.fromEntries(new URLSearchParams(parts['query'] ?? '')),
  };
}

/** The scheme of a URL with its colon, or undefined when the text has none. */
export function schemeOf(url: string): string | undefined {
  return /^\s*([a-z][a-z0-9+.-]*:)/i.exec(url)?.[1]?.toLowerCase();
}

/** Reads `name`, `name:port` or `[address]:port`. @throws ConfigError */
export function readHost(text: string): Host {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<name>[^:]+))(?::(?<port>\d{1,5}))?$/.exec(text);
  const port = match?.groups?.['port'];
  if (!match || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) {
    throw wrongUrl(
      'The host must be a name or an address and a port from 1 to 65535; an "@", "/" or ":" in a password is written %40, %2F, %3A.',
    );
  }
  const host = decode(match.groups?.['six'] ?? match.groups?.['name'] ?? '', 'host');
  return port === undefined ? { host } : { host, port: Number(port) };
}

function splitOnce(value: string, mark: string): [string, string | undefined] {
  const at = value.indexOf(mark);
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

function decode(value: string, part: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw wrongUrl(`Its ${part} has a "%" that is not followed by two hex digits; write it %25.`);
  }
}

function wrongUrl(why: string): ConfigError {
  return new ConfigError(`The database URL can't be read. ${why}`, {
    code: 'DAL_CONFIG_URL',
    kind: 'usage',
  });
}
