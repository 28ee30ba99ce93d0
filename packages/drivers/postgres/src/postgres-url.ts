import { readFileSync } from 'node:fs';
import { ConfigError, type Host, integer, readUrl, type TlsFiles } from '@dal/core';

/**
 * Options from a URL. Its parameters are libpq's (`sslmode`, `application_name`, `connect_timeout`,
 * `options`, `host` ...); every other one is an option under its own name.
 *
 * @throws ConfigError, which never shows the password
 */
export function optionsFromUrl(url: string): Record<string, unknown> {
  const { scheme, user, password, hosts, database, parameters } = readUrl(url);
  if (scheme !== 'postgres:' && scheme !== 'postgresql:') {
    throw wrong(`A URL for PostgreSQL starts with "postgres://", not with "${scheme}".`);
  }
  const [first] = hosts;
  const options: Record<string, unknown> = {
    user,
    password,
    database,
    ...(hosts.length > 1
      ? { host: hosts.map(textOfHost) }
      : { host: first?.host, port: first?.port }),
  };
  const files: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parameters)) {
    const read = Object.hasOwn(libpq, name) ? libpq[name] : undefined;
    if (read) read(value, options, files);
    else options[name] = value;
  }
  pairPorts(options);
  if (Object.keys(files).length > 0) options['tls'] = tlsFrom(files);
  return options;
}

type Target = Record<string, unknown>;

/** libpq's names; the rest of libpq's has no meaning here and is refused like any unknown option. */
const libpq: Readonly<Record<string, (value: string, options: Target, files: Target) => void>> = {
  host: (value, options) => (options['host'] = value),
  hostaddr: (value, options, files) => {
    // The address to call; the name of before stays the one to check.
    if (typeof options['host'] === 'string') files['serverName'] = options['host'];
    options['host'] = value;
  },
  port: (value, options) => (options['port'] = value),
  user: (value, options) => (options['user'] = value),
  password: (value, options) => (options['password'] = value),
  dbname: (value, options) => (options['database'] = value),
  application_name: (value, options) => (options['applicationName'] = value),
  fallback_application_name: (value, options) => (options['applicationName'] ??= value),
  connect_timeout: (value, options) => {
    const seconds = integer(0, 86_400)(value, 'connect_timeout');
    // libpq: 0 waits for ever. Here everything has a bound, so 0 is the default.
    if (seconds > 0) options['connectTimeoutMs'] = seconds * 1_000;
  },
  options: (value, options) => (options['options'] = value),
  keepalives: (value, options) => {
    if (value === '0') options['keepAliveDelayMs'] = 0;
  },
  keepalives_idle: (value, options) => {
    options['keepAliveDelayMs'] ??= integer(0, 86_400)(value, 'keepalives_idle') * 1_000;
  },
  channel_binding: (value, options) => (options['channelBinding'] = value),
  sslnegotiation: (value, options) => (options['tlsNegotiation'] = value),
  sslmode: (value, _options, files) => (files['mode'] = value),
  sslrootcert: (value, _options, files) => {
    if (value === 'system') files['mode'] ??= 'verify-full';
    else files['ca'] = readPem(value, 'sslrootcert');
  },
  sslcert: (value, _options, files) => (files['cert'] = readPem(value, 'sslcert')),
  sslkey: (value, _options, files) => (files['key'] = readPem(value, 'sslkey')),
  sslpassword: (value, _options, files) => (files['passphrase'] = value),
  client_encoding: (value) => {
    if (/^(?:utf-?8|unicode|auto)$/i.test(value)) return;
    throw wrong('client_encoding can only be UTF8: JavaScript has no other text.');
  },
  target_session_attrs: (value, options) => (options['targetSessionAttrs'] = value),
  load_balance_hosts: (value, options) => (options['loadBalanceHosts'] = value === 'random'),
  gssencmode: (value) => {
    if (value !== 'require') return;
    throw wrong('gssencmode=require is not possible: GSSAPI encryption is not spoken here.');
  },
  // Asks `pg` for libpq's meaning of sslmode, which is the only one here.
  uselibpqcompat: () => undefined,
};

/** libpq's lists of parameters: `host=a,b&port=5432,5433`. */
function pairPorts(options: Target): void {
  const { host, port } = options;
  if (typeof port !== 'string' || !port.includes(',')) return;
  const ports = port.split(',');
  const hosts = typeof host === 'string' ? host.split(',') : [];
  if (hosts.length !== ports.length)
    throw wrong('There must be one port for each host, or one for all.');
  options['port'] = undefined;
  options['host'] = hosts.map((name, place) =>
    textOfHost({ host: name, port: integer(1, 65_535)(ports[place] || 5432, 'port') }),
  );
}

function textOfHost({ host, port }: Host): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

function tlsFrom(files: Target): TlsFiles | string {
  const names = Object.keys(files);
  const { mode } = files;
  if (names.length === 1 && typeof mode === 'string') return mode;
  // Without a word libpq would take "prefer", which doesn't fit files that are there to be used.
  return files;
}

function readPem(path: string, parameter: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ConfigError(`The file that ${parameter} names can't be read.`, {
      kind: 'usage',
      code: 'DAL_CONFIG_VALUE',
      cause,
    });
  }
}

function wrong(message: string): ConfigError {
  return new ConfigError(message, { kind: 'usage', code: 'DAL_CONFIG_URL' });
}
