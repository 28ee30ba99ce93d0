import {
  checkIdentifier,
  duration,
  flag,
  type MigrateOptions,
  type OptionReader,
  readOptions,
  text,
  wrongOption,
} from '@dal/core';

/** Options of every call that looks at migrations. */
export type FolderOptions = Pick<
  MigrateOptions,
  'dir' | 'table' | 'outOfOrder' | 'allowNewer' | 'signal'
>;

export interface RollbackOptions extends MigrateOptions {
  /** How many to undo, from the newest on. Default: 1, or all above `to`. */
  readonly steps?: number;
}

/** The same, checked and complete. */
export interface MigrateSettings {
  readonly dir: string | URL;
  readonly to: string | undefined;
  readonly steps: number;
  readonly dryRun: boolean;
  readonly resume: boolean;
  readonly outOfOrder: boolean;
  readonly allowNewer: boolean;
  readonly table: string;
  readonly waitTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly log: (line: string) => void;
}

/** @throws ConfigError that names the option */
export function readMigrateOptions(input: RollbackOptions | MigrateOptions): MigrateSettings {
  if (typeof input !== 'object' || input === null) {
    throw wrongOption('migrate()', 'given an object such as { dir: "./migrations" }', input);
  }
  const read = readOptions('migrate', { ...input }, readers, strangers);
  if (read.dir === undefined) throw wrongOption('migrate.dir', 'a folder', undefined);
  return {
    dir: read.dir,
    to: read.to,
    steps: read.steps ?? 1,
    dryRun: read.dryRun ?? false,
    resume: read.resume ?? false,
    outOfOrder: read.outOfOrder ?? false,
    allowNewer: read.allowNewer ?? false,
    table: read.table ?? 'dal_migrations',
    waitTimeoutMs: read.waitTimeoutMs ?? 60_000,
    lockTimeoutMs: read.lockTimeoutMs ?? 10_000,
    statementTimeoutMs: read.statementTimeoutMs ?? Infinity,
    signal: read.signal,
    log: read.log ?? (() => undefined),
  };
}

const folder: OptionReader<string | URL> = (value, where) => {
  if (value instanceof URL && value.protocol === 'file:') return value;
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  throw wrongOption(where, 'a folder: a path, or a URL that begins with file:', value);
};

/** It also names the lock, so it has to be plain. */
const tableName: OptionReader<string> = (value, where) => {
  checkIdentifier(value);
  if (/^\w{1,48}$/.test(value)) return value;
  throw wrongOption(where, 'a name of letters, digits and "_", 48 at the most', value);
};

const signalReader: OptionReader<AbortSignal> = (value, where) => {
  if (value instanceof AbortSignal) return value;
  throw wrongOption(where, 'an AbortSignal', value);
};

const logReader: OptionReader<(line: string) => void> = (value, where) => {
  if (typeof value === 'function') return value as (line: string) => void;
  throw wrongOption(where, 'a function that takes a line', value);
};

const count: OptionReader<number> = (value, where) => {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw wrongOption(where, 'a whole number from 1 on', value);
};

/** Infinity is a length of time here: without end. */
const endless: OptionReader<number> = (value, where) =>
  value === Infinity ? Infinity : duration(value, where);

const readers = {
  dir: folder,
  to: text,
  steps: count,
  dryRun: flag,
  resume: flag,
  outOfOrder: flag,
  allowNewer: flag,
  table: tableName,
  waitTimeoutMs: duration,
  lockTimeoutMs: duration,
  statementTimeoutMs: endless,
  signal: signalReader,
  log: logReader,
} satisfies Record<keyof RollbackOptions, unknown>;

/** What others call these options. */
const strangers: Readonly<Record<string, string>> = {
  directory: 'dir',
  folder: 'dir',
  path: 'dir',
  target: 'to',
  tableName: 'table',
  migrationsTable: 'table',
  step: 'steps',
  timeout: 'statementTimeoutMs',
  timeoutMs: 'statementTimeoutMs',
  lockTimeout: 'lockTimeoutMs',
};
