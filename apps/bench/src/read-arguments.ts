import { parseArgs } from 'node:util';
import { suggest } from '@dal/core';
import { OUTAGE_FAULTS, type OutageFaultName } from './outage-faults.ts';

export const COMMANDS = [
  'hot-path',
  'bulk',
  'stream',
  'checkout',
  'outage',
  'capacity',
  'observe',
  'entity',
] as const;
export const ENGINES = ['postgres', 'mysql', 'mariadb', 'sqlite'] as const;
export const CASES = ['read', 'insert', 'thousand'] as const;

export type Command = (typeof COMMANDS)[number];
export type EngineName = (typeof ENGINES)[number];
export type CaseName = (typeof CASES)[number];

export interface Arguments {
  readonly command: Command;
  readonly engines: readonly EngineName[];
  /** Of `hot-path`. */
  readonly cases: readonly CaseName[];
  readonly callers: readonly number[];
  /** How often everybody is measured. */
  readonly rounds: number;
  /** How long one contender is measured in one round of `hot-path`, `checkout` and `entity`. */
  readonly sliceMs: number;
  /** Of `bulk`, `stream` and `entity`. */
  readonly rows: number;
  /** Of `outage`. */
  readonly faults: readonly OutageFaultName[];
  /** Of `capacity`. */
  readonly processes: readonly number[];
  /** Of `capacity`: parts of what Little's law gives, in percent; 0: callers who never rest. */
  readonly loads: readonly number[];
  readonly quick: boolean;
  readonly json: boolean;
  /** Where the figures are kept too. */
  readonly save: string | undefined;
}

const DEFAULTS = {
  'hot-path': { rounds: 25, quickRounds: 7, rows: 1_000, quickRows: 1_000 },
  bulk: { rounds: 9, quickRounds: 3, rows: 100_000, quickRows: 20_000 },
  stream: { rounds: 5, quickRounds: 3, rows: 1_000_000, quickRows: 100_000 },
  checkout: { rounds: 25, quickRounds: 7, rows: 1_000, quickRows: 1_000 },
  outage: { rounds: 1, quickRounds: 1, rows: 1_000, quickRows: 1_000 },
  capacity: { rounds: 1, quickRounds: 1, rows: 1_000, quickRows: 1_000 },
  observe: { rounds: 25, quickRounds: 7, rows: 1_000, quickRows: 1_000 },
  entity: { rounds: 25, quickRounds: 5, rows: 10_000, quickRows: 2_000 },
} as const;

export const USAGE = `pnpm bench ${COMMANDS.join(' | ')}
  --engine postgres,sqlite   some of ${ENGINES.join(', ')}; default: all
  --quick                    fewer and shorter rounds, fewer rows, shorter outages
  --json                     one JSON document on stdout, nothing else
  --save hot-path.json       keeps the figures in a file too, for the page of the docs
  --rounds 25                how often everybody is measured
  --slice-ms 50              hot-path, checkout, entity: how long one is measured in one round
  --callers 1,20,200         hot-path, checkout, entity (1,20): how many ask at once
  --case read,insert         hot-path: some of ${CASES.join(', ')}; default: all
  --rows 100000              bulk, stream, entity (10000): how many rows
  --fault refused,frozen     outage: some of ${OUTAGE_FAULTS.join(', ')}; default: all
  --processes 1,5,25         capacity: how many processes
  --load 0,50,90,110,125,150 capacity: percent of what Little's law gives; 0: callers who never rest`;

/** @throws Error that says what is wrong and what would be right */
export function readArguments(given: readonly string[]): Arguments {
  const { values, positionals } = parse(given);
  const [command, ...rest] = positionals;
  if (command === undefined || rest.length > 0) throw new Error(`One command, please.\n${USAGE}`);
  const [known] = words('The command', command, COMMANDS);
  const defaults = DEFAULTS[known!];
  const quick = values.quick === true;
  return {
    command: known!,
    engines: words('--engine', values.engine, ENGINES),
    cases: words('--case', values.case, CASES),
    callers: (values.callers ?? (known === 'entity' ? '1,20' : '1,20,200'))
      .split(',')
      .map((text) => wholeNumber('--callers', text, 1, 10_000)),
    rounds: wholeNumber(
      '--rounds',
      values.rounds ?? String(quick ? defaults.quickRounds : defaults.rounds),
      1,
      1_000,
    ),
    sliceMs: wholeNumber('--slice-ms', values['slice-ms'] ?? (quick ? '20' : '50'), 1, 60_000),
    rows: wholeNumber(
      '--rows',
      values.rows ?? String(quick ? defaults.quickRows : defaults.rows),
      1,
      100_000_000,
    ),
    faults: words('--fault', values.fault, OUTAGE_FAULTS),
    processes: (values.processes ?? (quick ? '1,5' : '1,5,25'))
      .split(',')
      .map((text) => wholeNumber('--processes', text, 1, 100)),
    loads: (values.load ?? '0,50,90,110,125,150')
      .split(',')
      .map((text) => wholeNumber('--load', text, 0, 1_000)),
    quick,
    json: values.json === true,
    save: values.save,
  };
}

function parse(given: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    engine: text,
    case: text,
    fault: text,
    processes: text,
    load: text,
    callers: text,
    rounds: text,
    rows: text,
    save: text,
    'slice-ms': text,
    quick: { type: 'boolean' },
    json: { type: 'boolean' },
  } as const;
  for (const [word] of given.map((one) => one.split('='))) {
    if (!word?.startsWith('--') || word === '--') continue;
    const name = word.slice(2);
    if (!Object.hasOwn(options, name)) throw unknown('option', word, Object.keys(options), '--');
  }
  // pnpm hands its own "--" on.
  const args = given.filter((word) => word !== '--');
  return parseArgs({ args, options, allowPositionals: true });
}

/** Some of the known words, each once; all of them when none is given. */
function words<Word extends string>(
  what: string,
  text: string | undefined,
  known: readonly Word[],
): readonly Word[] {
  if (text === undefined) return known;
  for (const word of text.split(',')) {
    if (!known.includes(word as Word)) throw unknown(what, word, known);
  }
  return known.filter((word) => text.split(',').includes(word));
}

function unknown(what: string, word: string, known: readonly string[], before = ''): Error {
  const likely = suggest(word, known);
  const advice = likely ? `Did you mean "${before}${likely}"?` : `Known: ${known.join(', ')}.`;
  return new Error(`${what}: "${word}" is not known. ${advice}`);
}

function wholeNumber(what: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new Error(`${what} is a whole number from ${least} to ${most}, not "${text}".`);
}
