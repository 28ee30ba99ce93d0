import { resolve } from 'node:path';
import { ConfigError, readOptions, text, type ValueOptions, valueReaders } from '@dal/core';

export interface PgliteOptions extends ValueOptions {
  /** `pglite:./shop`, or `pglite::memory:`. */
  readonly url?: string;
  /** The folder with the data, or `:memory:`. Instead of `url`. */
  readonly path?: string;
}

/** The same, checked and complete. */
export interface PgliteSettings extends Required<ValueOptions> {
  readonly path: string;
}

/** @throws ConfigError that names the wrong option, with the likely right one */
export function readPgliteOptions(input: Readonly<Record<string, unknown>>): PgliteSettings {
  const { url, ...rest } = input;
  const read = readOptions('pglite', { ...fromUrl(url), ...rest }, readers);
  if (read.path === undefined || read.path === '') {
    throw new ConfigError(
      'PGlite needs a folder: give a URL such as "pglite:./shop", or path: ":memory:".',
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  return {
    // Sessions open later, perhaps from another working directory.
    path: read.path === ':memory:' ? read.path : resolve(read.path),
    integers: read.integers ?? 'safe',
    decimals: read.decimals ?? 'text',
    timestamps: read.timestamps ?? 'date',
    json: read.json ?? 'parsed',
  };
}

const readers = { path: text, ...valueReaders };

/** `pglite:./shop?timestamps=text`. */
function fromUrl(url: unknown): Readonly<Record<string, unknown>> {
  if (url === undefined) return {};
  const [path = '', query = ''] = text(url, 'pglite.url')
    .replace(/^[^:]+:(?:\/\/)?/, '')
    .split('?', 2);
  return { path, ...Object.fromEntries(new URLSearchParams(query)) };
}
