import { resolve } from 'node:path';
import {
  ConfigError,
  duration,
  flag,
  integer,
  oneOf,
  type OptionReader,
  readOptions,
  text,
  type ValueOptions,
  valueReaders,
} from '@dal/core';
import type { MemoryState } from './memory-state.ts';
import type { JournalMode, SessionSettings, Synchronous } from './session-messages.ts';
import { readSqliteUrl } from './sqlite-url.ts';

/** What a user may give. */
export interface SqliteOptions extends ValueOptions {
  /** `sqlite::memory:`, `sqlite:./app.db`, `sqlite:///var/lib/app.db`, `file:./app.db`. */
  readonly url?: string;
  /** The file, or `:memory:`. Instead of `url`. */
  readonly path?: string;
  /** Where SQLite runs. `process` can be stopped at a deadline; `inline` cannot. Default: `process`. */
  readonly runsIn?: RunsIn;
  /** Refuses every change, also to the file's journal mode. Default: false. */
  readonly readOnly?: boolean;
  /** Makes the file when there is none; its folder must exist. Default: true. */
  readonly createIfMissing?: boolean;
  /** How long a statement waits for another's lock. Default: 5 s. */
  readonly busyTimeoutMs?: number | string;
  /** For opening the file, the start of its process included. Default: 10 s. */
  readonly connectTimeoutMs?: number | string;
  /** How the file is kept whole. Default: `wal`, so that readers and the writer don't wait for each other. */
  readonly journalMode?: JournalMode;
  /**
   * `normal` loses nothing when the process is killed; the last commits may be lost when the power
   * fails. `full` waits for the disk at each commit. Default: `normal`.
   */
  readonly synchronous?: Synchronous;
  /** Holds statements to foreign keys. Default: true; in SQLite itself, false. */
  readonly foreignKeys?: boolean;
  /** Further PRAGMAs for each session, such as `{ cache_size: -65536 }`. */
  readonly pragmas?: Readonly<Record<string, string | number>>;
  /**
   * Prepared statements kept by a session at first; then their number follows the use, between 50
   * and 500. Default: 100.
   */
  readonly preparedStatements?: number;
}

export type RunsIn = 'process' | 'inline';

/** The same, checked and complete. */
export interface SqliteSettings extends SessionSettings {
  readonly runsIn: RunsIn;
  readonly connectTimeoutMs: number;
  readonly timestamps: 'date' | 'text';
  readonly json: 'parsed' | 'text';
  /** Set for a database in memory. */
  readonly memory: MemoryState | undefined;
}

/** @throws ConfigError that names the wrong option */
export function readSqliteOptions(input: Readonly<Record<string, unknown>>): SqliteSettings {
  const { url, ...rest } = input;
  const fromUrl = url === undefined ? {} : readSqliteUrl(text(url, 'sqlite.url'));
  const read = readOptions('sqlite', { ...fromUrl, ...rest }, readers, strangers);
  if (read.path === undefined) {
    throw new ConfigError(
      'SQLite needs a file: give a URL such as "sqlite:./app.db", or path: "./app.db". "sqlite::memory:" is a database in memory.',
      { code: 'DAL_CONFIG_VALUE', kind: 'usage' },
    );
  }
  return {
    // Sessions open later, perhaps from another working directory.
    path: read.path === ':memory:' ? read.path : resolve(read.path),
    runsIn: read.runsIn ?? 'process',
    readOnly: read.readOnly ?? false,
    createIfMissing: read.createIfMissing ?? true,
    busyTimeoutMs: Math.round(read.busyTimeoutMs ?? 5_000),
    connectTimeoutMs: read.connectTimeoutMs ?? 10_000,
    journalMode: read.journalMode ?? 'wal',
    synchronous: read.synchronous ?? 'normal',
    foreignKeys: read.foreignKeys ?? true,
    pragmas: read.pragmas ?? {},
    preparedStatements: read.preparedStatements ?? 100,
    integers: read.integers ?? 'safe',
    decimals: read.decimals ?? 'text',
    timestamps: read.timestamps ?? 'date',
    json: read.json ?? 'parsed',
    memory: read.path === ':memory:' ? { opened: 0, shared: undefined } : undefined,
  };
}

const path: OptionReader<string> = (value, where) => {
  const given = text(value, where);
  if (given !== '' && !given.includes('\0')) return given;
  throw new ConfigError(`${where} must name a file, or be ":memory:".`, {
    code: 'DAL_CONFIG_VALUE',
    kind: 'usage',
  });
};

const pragmas: OptionReader<Readonly<Record<string, string | number>>> = (value, where) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusedPragma(where, 'an object such as { cache_size: -65536 }');
  }
  for (const [name, setting] of Object.entries(value as Record<string, unknown>)) {
    if (!/^[a-z_]{1,64}$/.test(name)) throw refusedPragma(where, 'made of names in small letters');
    const fits = typeof setting === 'number' ? Number.isFinite(setting) : isWord(setting);
    if (!fits) throw refusedPragma(`${where}.${name}`, 'a number or a word');
  }
  return value as Record<string, string | number>;
};

function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^\w{1,64}$/.test(value);
}

function refusedPragma(where: string, expected: string): ConfigError {
  return new ConfigError(`${where} must be ${expected}.`, {
    code: 'DAL_CONFIG_VALUE',
    kind: 'usage',
  });
}

const readers = {
  path,
  runsIn: oneOf('process', 'inline'),
  readOnly: flag,
  createIfMissing: flag,
  busyTimeoutMs: duration,
  connectTimeoutMs: duration,
  journalMode: oneOf('wal', 'delete', 'truncate', 'persist', 'memory', 'off'),
  synchronous: oneOf('off', 'normal', 'full', 'extra'),
  foreignKeys: flag,
  pragmas,
  preparedStatements: integer(1, 10_000),
  ...valueReaders,
};

/** Names from elsewhere, and the name here. */
const strangers: Readonly<Record<string, string>> = {
  file: 'path',
  filename: 'path',
  database: 'path',
  storage: 'path',
  readonly: 'readOnly',
  fileMustExist: 'createIfMissing',
  create: 'createIfMissing',
  timeout: 'busyTimeoutMs',
  busyTimeout: 'busyTimeoutMs',
  busy_timeout: 'busyTimeoutMs',
  journal_mode: 'journalMode',
  foreign_keys: 'foreignKeys',
};
