import type { ErrorPayload } from './driver-adapter.ts';

/** The fields of PostgreSQL's message, as `pg` names them. */
interface PostgresError {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly detail?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly hint?: string;
}

/** What the server judged, in the kinds of Prisma. */
export function describePostgresError(error: object): ErrorPayload | undefined {
  if (!isPostgresError(error)) return undefined;
  return { originalCode: error.code, originalMessage: error.message, ...kindOf(error) };
}

function kindOf(error: PostgresError): ErrorPayload {
  const { code, message, detail, column, constraint } = error;
  switch (code) {
    case '22001':
      return column === undefined ? { kind: 'LengthMismatch' } : { kind: 'LengthMismatch', column };
    case '22003':
      return { kind: 'ValueOutOfRange', cause: message };
    case '22P02':
      return { kind: 'InvalidInputValue', message };
    case '23505':
      return uniqueViolation(error);
    case '23502':
      return nullViolation(error);
    case '23503':
      return { kind: 'ForeignKeyConstraintViolation', ...broken(column, constraint) };
    case '23001':
      return { kind: 'RestrictViolation', ...broken(column, constraint) };
    case '3D000':
      return { kind: 'DatabaseDoesNotExist', ...named('db', quoted(message)) };
    case '28000':
      return {
        kind: 'DatabaseAccessDenied',
        ...named('db', /database "([^"]+)"/.exec(message)?.[1]),
      };
    case '28P01':
      return { kind: 'AuthenticationFailed', ...named('user', quoted(message)) };
    case '40001':
    case '40P01':
      return { kind: 'TransactionWriteConflict' };
    case '42P01':
      return { kind: 'TableDoesNotExist', ...named('table', quoted(message)) };
    case '42703':
      return { kind: 'ColumnNotFound', ...named('column', missingColumn(message)) };
    case '42P04':
      return { kind: 'DatabaseAlreadyExists', ...named('db', quoted(message)) };
    case '53300':
      return { kind: 'TooManyConnections', cause: message };
    default: {
      const { severity, hint } = error;
      return { kind: 'postgres', code, severity, message, detail, column, hint };
    }
  }
}

function uniqueViolation({ constraint, detail, table }: PostgresError): ErrorPayload {
  const fields = keyOf(detail);
  return {
    kind: 'UniqueConstraintViolation',
    ...(constraint
      ? { constraint: { index: constraint } }
      : fields
        ? { constraint: { fields } }
        : {}),
    ...named('table', table),
  };
}

function nullViolation({ column, detail }: PostgresError): ErrorPayload {
  const fields = keyOf(detail) ?? (column === undefined ? undefined : [column]);
  return { kind: 'NullConstraintViolation', ...(fields ? { constraint: { fields } } : {}) };
}

function broken(
  column: string | undefined,
  index: string | undefined,
): { constraint?: { fields: string[] } | { index: string } } {
  if (column) return { constraint: { fields: [column] } };
  return index ? { constraint: { index } } : {};
}

/** `Key (email)=(...) already exists.`; in other languages there is none, and nothing is said. */
function keyOf(detail: string | undefined): string[] | undefined {
  return /Key \(([^)]+)\)/.exec(detail ?? '')?.[1]?.split(', ');
}

function quoted(message: string): string | undefined {
  return /"([^"]+)"/.exec(message)?.[1];
}

function missingColumn(message: string): string | undefined {
  const name = /^column (.+) does not exist$/.exec(message)?.[1];
  return name?.replaceAll(/"((?:""|[^"])*)"/g, (_, quotedName: string) =>
    quotedName.replaceAll('""', '"'),
  );
}

function named<Name extends string>(
  name: Name,
  value: string | undefined,
): { [Key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: string };
}

function isPostgresError(error: object): error is PostgresError {
  const { code, severity } = error as Partial<PostgresError>;
  return typeof code === 'string' && typeof severity === 'string';
}
