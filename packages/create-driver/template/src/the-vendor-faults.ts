import type { Fault } from '@dal/core';

/**
 * What the engine's codes mean. `applied: 'no'` says that the statement surely did nothing, so the
 * layer may send it again; where that is not certain, leave `unknown`.
 */
// TODO The codes of your database. Codes before words, and words only where there is no code.
const faults: ReadonlyMap<number, Fault> = new Map<number, Fault>([
  [2067, { kind: 'unique', applied: 'no' }],
  [1555, { kind: 'unique', applied: 'no' }],
  [787, { kind: 'foreignKey', applied: 'no' }],
  [1299, { kind: 'notNull', applied: 'no' }],
  [275, { kind: 'check', applied: 'no' }],
  [19, { kind: 'check', applied: 'no' }],
  [5, { kind: 'lockTimeout', applied: 'no' }],
  [6, { kind: 'lockTimeout', applied: 'no' }],
  [517, { kind: 'serialization', applied: 'no', transaction: 'open' }],
  [8, { kind: 'readOnly', applied: 'no' }],
  [9, { kind: 'cancelled', applied: 'no' }],
  [13, { kind: 'resource', applied: 'no' }],
  [10, { kind: 'resource', applied: 'unknown' }],
  [14, { kind: 'connection', applied: 'no', connectionLost: true }],
  [18, { kind: 'data', applied: 'no' }],
  [20, { kind: 'data', applied: 'no' }],
]);

/** SQLite has one code for all that is wrong with a statement; its words decide. */
const byWords: readonly (readonly [RegExp, Fault])[] = [
  [/syntax error|incomplete input|unrecognized token/, { kind: 'syntax', applied: 'no' }],
  [/no such|already exists|has no column named/, { kind: 'schema', applied: 'no' }],
  [/integer overflow|malformed JSON/, { kind: 'data', applied: 'no' }],
];

/** An error of the driver itself, with its own verdict. */
export class TheVendorError extends Error {
  override readonly name: string = 'TheVendorError';
  readonly fault: Fault;

  constructor(message: string, fault: Fault) {
    super(message);
    this.fault = fault;
  }
}

/** Judges any error, its own or a stranger's; never throws. */
export function classifyTheVendorError(error: unknown): Fault {
  try {
    return judge(error);
  } catch {
    return { kind: 'unknown', applied: 'unknown' };
  }
}

function judge(error: unknown): Fault {
  if (error instanceof TheVendorError) return error.fault;
  const { errcode, message } = Object(error) as { errcode?: unknown; message?: unknown };
  if (typeof errcode !== 'number') return { kind: 'unknown', applied: 'unknown' };
  // The low eight bits are the primary code.
  const fault = faults.get(errcode) ?? faults.get(errcode & 255) ?? wordsFault(String(message));
  return { ...fault, code: String(errcode) };
}

function wordsFault(words: string): Fault {
  return (
    byWords.find(([pattern]) => pattern.test(words))?.[1] ?? { kind: 'unknown', applied: 'no' }
  );
}
