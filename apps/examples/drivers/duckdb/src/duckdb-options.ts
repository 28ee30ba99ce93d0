import { resolve } from 'node:path';
import { ConfigError, flag, readOptions, text, type ValueOptions, valueReaders } from '@dal/core';

export interface DuckdbOptions extends ValueOptions {
  /** `duckdb:./shop.duckdb`, or `duckdb::memory:`. */
  readonly url?: string;
  /** The file, or `:memory:`. Instead of `url`. */
  readonly path?: string;
  /** Several processes may read one file at a time. Default: false. */
  readonly readOnly?: boolean;
}

/** The same, checked and complete. */
export interface DuckdbSettings extends Required<ValueOptions> {
  readonly path: string;
  readonly readOnly: boolean;
}

/** @throws ConfigError that names the wrong option, with the likely right one */
export function readDuckdbOptions(input: Readonly<Record<string, unknown>>): DuckdbSettings {
  const { url, ...rest } = input;
  const read = readOptions('duckdb', { ...fromUrl(url), ...rest }, readers);
  if (read.path === undefined || read.path === '') {
    throw new ConfigError(
      'DuckDB needs a file: give a URL such as "duckdb:./shop.duckdb", or path: ":memory:".',
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  return {
    // Sessions open later, perhaps from another working directory.
    path: read.path === ':memory:' ? read.path : resolve(read.path),
    readOnly: read.readOnly ?? false,
    integers: read.integers ?? 'safe',
    decimals: read.decimals ?? 'text',
    timestamps: read.timestamps ?? 'date',
    json: read.json ?? 'parsed',
  };
}

const readers = { path: text, readOnly: flag, ...valueReaders };

/** `duckdb:./shop.duckdb?readOnly=true`. */
function fromUrl(url: unknown): Readonly<Record<string, unknown>> {
  if (url === undefined) return {};
  const [path = '', query = ''] = text(url, 'duckdb.url')
    .replace(/^[^:]+:(?:\/\/)?/, '')
    .split('?', 2);
  return { path, ...Object.fromEntries(new URLSearchParams(query)) };
}
