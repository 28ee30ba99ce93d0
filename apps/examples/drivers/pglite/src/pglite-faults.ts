import type { Fault, FaultKind } from '@dal/core';

/** What a SQLSTATE means; of five characters, or of its class in two. */
const kinds: Readonly<Record<string, FaultKind>> = {
  '23001': 'foreignKey',
  '23502': 'notNull',
  '23503': 'foreignKey',
  '23505': 'unique',
  '23': 'check',
  '25006': 'readOnly',
  '25': 'usage',
  '22': 'data',
  '21': 'data',
  '0A': 'usage',
  '40P01': 'deadlock',
  '40': 'serialization',
  '42501': 'permission',
  '42601': 'syntax',
  '42P10': 'usage',
  '42': 'schema',
  '3F': 'schema',
  '53': 'resource',
  '55P03': 'lockTimeout',
  '55': 'usage',
  '57014': 'cancelled',
  '58': 'resource',
};

/** An error of the driver itself, with its own verdict. */
export class PgliteError extends Error {
  override readonly name: string = 'PgliteError';
  readonly fault: Fault;

  constructor(message: string, fault: Fault) {
    super(message);
    this.fault = fault;
  }
}

/** Judges any error, its own or a stranger's; never throws. */
export function classifyPgliteError(error: unknown): Fault {
  try {
    return judge(error);
  } catch {
    return { kind: 'unknown', applied: 'unknown' };
  }
}

function judge(error: unknown): Fault {
  if (error instanceof PgliteError) return error.fault;
  const { code, ...names } = Object(error) as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) {
    return { kind: 'unknown', applied: 'unknown' };
  }
  const kind = lookUp(code) ?? lookUp(code.slice(0, 2)) ?? 'unknown';
  const known = ['constraint', 'table', 'column'].filter((name) => typeof names[name] === 'string');
  return {
    kind,
    code,
    // The server has answered: what failed left nothing, and the open transaction is over.
    applied: 'no',
    transaction: 'aborted',
    ...Object.fromEntries(known.map((name) => [name, names[name]])),
  };
}

function lookUp(code: string): FaultKind | undefined {
  return Object.hasOwn(kinds, code) ? kinds[code] : undefined;
}
