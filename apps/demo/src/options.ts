import { parseArgs } from 'node:util';
import { suggest } from '@dal/core';

export type ServerName = 'postgres' | 'mysql' | 'mariadb';

export interface DemoOptions {
  readonly help: boolean;
  /** A server to start for this run. */
  readonly server: ServerName | undefined;
  readonly seconds: number;
  /** Goes on after the shows, until it is interrupted. */
  readonly watch: boolean;
  /** Where it answers while it runs; 0: any that is free. */
  readonly port: number;
  /** Undefined: as many as suit the engine. */
  readonly workers: number | undefined;
}

/** A mistake on the command line; its message is all that a person needs. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

export const HELP = `Usage: npm run demo -- [options]

Moves money between a few accounts that everybody wants at the same time, breaks things while it
runs, and counts every cent at the end.

Options:
  --server NAME    start a real server for this run: postgres, mysql or mariadb
  --seconds N      how long to work, from 0.2 to 3600 (default: 6)
  --workers N      transactions at the same time, from 1 to 64 (default: 8; SQLite: 4)
  --watch          go on until Ctrl-C, with incidents on demand
  --port N         where metrics and console are while it runs (default: any that is free)
  --help           this text

Without --server: the database in DATABASE_URL (postgres://, mysql://, mariadb://, sqlite:), or else
a SQLite file in a temporary folder. The demo makes tables of its own (dal_demo_...) and drops them.

Ctrl-C stops the work in good order and still counts the money; a second Ctrl-C exits at once.
Exit status: 0 all well, 1 money or a show went wrong, 2 wrong use, 130 interrupted in good order
(0 with --watch).
`;

const SERVERS: readonly ServerName[] = ['postgres', 'mysql', 'mariadb'];

const known = {
  server: { type: 'string' },
  seconds: { type: 'string' },
  workers: { type: 'string' },
  watch: { type: 'boolean' },
  port: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @throws UsageError that says what is wrong and what there is */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values, tokens } = parseLoosely(args);
  for (const token of tokens) {
    if (token.kind === 'positional') throw unknownWord(`"${token.value}"`, undefined);
    if (token.kind !== 'option' || Object.hasOwn(known, token.name)) continue;
    throw unknownWord(`option "${token.rawName}"`, suggest(token.name, Object.keys(known)));
  }
  const workers = values['workers'];
  return {
    help: values['help'] === true,
    watch: values['watch'] === true,
    port: readNumber('--port', values['port'] ?? '0', 0, 65_535, true),
    server: readServer(values['server']),
    seconds: readNumber('--seconds', values['seconds'] ?? '6', 0.2, 3_600),
    workers:
      workers === undefined ? undefined : Math.round(readNumber('--workers', workers, 1, 64, true)),
  };
}

function parseLoosely(args: readonly string[]): {
  values: Record<string, unknown>;
  tokens: readonly { kind: string; name: string; rawName: string; value: string }[];
} {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: known,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return { values, tokens: tokens as never };
}

function readServer(value: unknown): ServerName | undefined {
  if (value === undefined) return undefined;
  const name = SERVERS.find((server) => server === value);
  if (name !== undefined) return name;
  const likely = typeof value === 'string' ? suggest(value, SERVERS) : undefined;
  const advice = likely === undefined ? '' : ` Did you mean "${likely}"?`;
  throw new UsageError(`--server needs one of: ${SERVERS.join(', ')}.${advice}`);
}

function readNumber(name: string, value: unknown, min: number, max: number, whole = false): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (number >= min && number <= max && (!whole || Number.isInteger(number))) return number;
  throw new UsageError(`${name} needs a ${whole ? 'whole ' : ''}number from ${min} to ${max}.`);
}

function unknownWord(word: string, likely: string | undefined): UsageError {
  const advice = likely === undefined ? '' : ` Did you mean "--${likely}"?`;
  const list = Object.keys(known).map((name) => `--${name}`);
  return new UsageError(`Unknown ${word}.${advice} Options: ${list.join(', ')}.`);
}
