import { type Host, readHostList, readUrl, schemeOf } from '@dal/core';
import { engineOf } from './config-words.ts';
import type { ConfigOptions } from './config-options.ts';

/** Where a configuration points to, as far as it says so; the driver has defaults for the rest. */
export interface ConfigAddress {
  /** The word for the driver: what was said, or the URL's scheme. */
  readonly word: string | undefined;
  readonly hosts: readonly Host[];
  readonly port: number | undefined;
  /** The file, for SQLite. */
  readonly database: string | undefined;
}

/** @throws ConfigError for a URL or a host that can't be read; it never shows a password */
export function addressOf(options: ConfigOptions): ConfigAddress {
  const { driver, url } = options;
  const said = typeof driver === 'object' ? driver.name : driver;
  const word = said ?? (url === undefined ? undefined : schemeOf(url)?.slice(0, -1));
  if (word !== undefined && engineOf(word) === 'sqlite') {
    const database = options['path'] ?? (url === undefined ? undefined : pathIn(url));
    return { word, hosts: [], port: undefined, database: asText(database) };
  }
  const given = url === undefined ? undefined : readUrl(url);
  const { host, port, database } = { ...given?.parameters, ...definedOnly(options) };
  return {
    word,
    hosts: host === undefined ? (given?.hosts ?? []) : readHostList(host, 'config.host'),
    port: port === undefined ? undefined : Number(port),
    database: asText(database) ?? given?.database,
  };
}

/** `sqlite:./app.db`, `sqlite:///var/app.db`: the driver reads the rest of it. */
function pathIn(url: string): string {
  const path = url.replace(/^\w+:/, '').replace(/[?#].*$/s, '');
  const plain = path.replace(/^\/\/\/?(?=:memory:$)|^\/\/(?=\/)/, '');
  try {
    return decodeURIComponent(plain);
  } catch {
    // The driver says what is wrong with it.
    return plain;
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function definedOnly(options: ConfigOptions): ConfigOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
