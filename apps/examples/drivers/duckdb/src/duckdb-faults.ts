import type { Fault } from '@dal/core';

type Verdict = readonly [words: RegExp, fault: Fault];

/** An error while a statement runs ends its transaction; COMMIT then undoes it and reports success. */
const undone = { applied: 'no', transaction: 'aborted' } as const;

/** DuckDB has no codes: the kind of an error stands before its first colon, and words tell the rest. */
const verdicts: Readonly<Record<string, readonly Verdict[]>> = {
  Parser: [[/./, { kind: 'syntax', applied: 'no' }]],
  Catalog: [[/./, { kind: 'schema', applied: 'no' }]],
  Binder: [
    [/not found|does not (?:exist|have)|ambiguous/i, { kind: 'schema', applied: 'no' }],
    [/./, { kind: 'usage', applied: 'no' }],
  ],
  Constraint: [
    [/duplicate key|primary key or unique/i, { kind: 'unique', ...undone }],
    [/foreign key/i, { kind: 'foreignKey', ...undone }],
    [/not null/i, { kind: 'notNull', ...undone }],
    [/./, { kind: 'check', ...undone }],
  ],
  Conversion: [[/./, { kind: 'data', ...undone }]],
  'Out of Range': [[/./, { kind: 'data', ...undone }]],
  'Invalid Input': [
    [/multiple statements/i, { kind: 'usage', applied: 'no' }],
    [/./, { kind: 'data', ...undone }],
  ],
  INTERRUPT: [[/./, { kind: 'cancelled', ...undone }]],
  TransactionContext: [
    [/read-only/, { kind: 'readOnly', ...undone }],
    [/duplicate key/i, { kind: 'unique', applied: 'no', transaction: 'gone' }],
    [/conflict/i, { kind: 'serialization', ...undone }],
    [/./, { kind: 'usage', ...undone }],
  ],
  'Out of Memory': [[/./, { kind: 'resource', applied: 'no' }]],
  IO: [
    [/set lock on file/, { kind: 'connection', applied: 'no', connectionLost: true }],
    [/./, { kind: 'resource', applied: 'unknown' }],
  ],
  // Nothing works on this database any more.
  FATAL: [[/./, { kind: 'resource', applied: 'unknown', connectionLost: true }]],
};

/** An error of the driver itself, with its own verdict. */
export class DuckdbError extends Error {
  override readonly name: string = 'DuckdbError';
  readonly fault: Fault;

  constructor(message: string, fault: Fault) {
    super(message);
    this.fault = fault;
  }
}

/** Judges any error, its own or a stranger's; never throws. */
export function classifyDuckdbError(error: unknown): Fault {
  try {
    return judge(error);
  } catch {
    return { kind: 'unknown', applied: 'unknown' };
  }
}

function judge(error: unknown): Fault {
  if (error instanceof DuckdbError) return error.fault;
  const { message } = Object(error) as { message?: unknown };
  const [, code = '', words = ''] = /^([A-Za-z ]{1,40}) Error: (.*)/s.exec(String(message)) ?? [];
  const known = Object.hasOwn(verdicts, code) ? verdicts[code] : undefined;
  const fault = known?.find(([pattern]) => pattern.test(words))?.[1];
  return fault ? { ...fault, code: `${code} Error` } : { kind: 'unknown', applied: 'unknown' };
}
