import { resolve } from 'node:path';
import {
  ConfigError,
  duration,
  readOptions,
  text,
  type ValueOptions,
  valueReaders,
} from '@dal/core';

// TODO What a user may give. Of a server: host, port, user, password, database, tls; `serverReaders`
// of @dal/core reads those, and `readUrl` takes a URL apart.
export interface TheVendorOptions extends ValueOptions {
  /** `the-vendor:./shop.db`. */
  readonly url?: string;
  /** The file. Instead of `url`. */
  readonly path?: string;
  /** How long a statement waits for the lock of another process. Default: 5 s. */
  readonly busyTimeoutMs?: number | string;
}

/** The same, checked and complete. */
export interface TheVendorSettings extends Required<ValueOptions> {
  readonly path: string;
  readonly busyTimeoutMs: number;
}

/** @throws ConfigError that names the wrong option, with the likely right one */
export function readTheVendorOptions(input: Readonly<Record<string, unknown>>): TheVendorSettings {
  const { url, ...rest } = input;
  const read = readOptions('the-vendor', { ...fromUrl(url), ...rest }, readers);
  if (read.path === undefined || read.path === '') {
    throw new ConfigError(
      'TheVendor needs a file: give a URL such as "the-vendor:./shop.db", or path: "./shop.db".',
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  return {
    // Sessions open later, perhaps from another working directory.
    path: resolve(read.path),
    busyTimeoutMs: read.busyTimeoutMs ?? 5_000,
    integers: read.integers ?? 'safe',
    decimals: read.decimals ?? 'text',
    timestamps: read.timestamps ?? 'date',
    json: read.json ?? 'parsed',
  };
}

const readers = { path: text, busyTimeoutMs: duration, ...valueReaders };

/** `the-vendor:./shop.db?busyTimeoutMs=2s`. */
function fromUrl(url: unknown): Readonly<Record<string, unknown>> {
  if (url === undefined) return {};
  const [path = '', query = ''] = text(url, 'the-vendor.url')
    .replace(/^[^:]+:(?:\/\/)?/, '')
    .split('?', 2);
  return { path, ...Object.fromEntries(new URLSearchParams(query)) };
}
