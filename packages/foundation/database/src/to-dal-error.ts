import {
  ConnectionError,
  type DalError,
  type Driver,
  type Fault,
  isDalError,
  QueryError,
  redactUrl,
} from '@dal/core';

/** Servers quote the offending value in these errors; it stays in `cause`. */
const mayQuoteValues = new Set(['unique', 'foreignKey', 'notNull', 'check', 'data']);
const ofTheConnection = new Set(['connection', 'authentication', 'notReady', 'overloaded']);

/** Judges any error and gives it the layer's form; its `cause` is the error as the library threw it. */
export function toDalError(
  driver: Driver,
  database: string,
  error: unknown,
  statement?: string,
): DalError {
  if (isDalError(error)) return error;
  const fault = judge(driver, error);
  const message = describe(fault, database, error, statement);
  const code = `DAL_${fault.kind.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}`;
  const Kind =
    ofTheConnection.has(fault.kind) || fault.connectionLost ? ConnectionError : QueryError;
  return new Kind(message, { kind: fault.kind, code, cause: error, fault });
}

function judge(driver: Driver, error: unknown): Fault {
  try {
    return driver.classify(error);
  } catch {
    // A driver's judge must never throw; where it does, nothing is known.
    return { kind: 'unknown', applied: 'unknown' };
  }
}

function describe(
  fault: Fault,
  database: string,
  error: unknown,
  statement: string | undefined,
): string {
  const { kind, code, constraint, table, column, hint } = fault;
  const names = [
    constraint && `constraint "${constraint}"`,
    table && `table "${table}"`,
    column && `column "${column}"`,
    code && `code ${code}`,
  ].filter(Boolean);
  const details = names.length > 0 ? ` (${names.join(', ')})` : '';
  const words = mayQuoteValues.has(kind) ? kindWords[kind] : redactUrl(wordsOf(error));
  const where = statement === undefined ? '' : ` Statement: ${shorten(statement)}`;
  return `${words ?? kind}${details} on "${database}".${hint ? ` ${hint}` : ''}${where}`;
}

const kindWords: Readonly<Record<string, string>> = {
  unique: 'A row with the same key exists already',
  foreignKey: 'A foreign key has no partner, or still has one',
  notNull: 'A column that must have a value got NULL',
  check: 'A CHECK constraint refused the row',
  data: 'A value does not fit its type or column',
};

function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) {
    return (error.errors as unknown[]).map(wordsOf).join('; ').slice(0, 1_000);
  }
  const words = error instanceof Error ? error.message : String(error);
  return (words || 'The database gave no reason').slice(0, 1_000).replace(/\.$/, '');
}

function shorten(statement: string): string {
  const oneLine = statement.replaceAll(/\s+/g, ' ').trim();
  return oneLine.length > 200 ? `${oneLine.slice(0, 200)}...` : oneLine;
}
