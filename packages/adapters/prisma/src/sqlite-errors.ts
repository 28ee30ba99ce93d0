import type { ErrorPayload } from './driver-adapter.ts';

interface SqliteError {
  readonly code: string;
  readonly message: string;
}

/** What SQLite judged, in the kinds of Prisma. */
export function describeSqliteError(error: object): ErrorPayload | undefined {
  if (!isSqliteError(error)) return undefined;
  return { originalCode: error.code, originalMessage: error.message, ...kindOf(error) };
}

function kindOf({ code, message }: SqliteError): ErrorPayload {
  switch (code) {
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY': {
      const columns = columnsOf(message);
      if (!columns) return { kind: 'UniqueConstraintViolation' };
      const table = columns[0]?.split('.').slice(0, -1).join('.');
      return {
        kind: 'UniqueConstraintViolation',
        constraint: { fields: columns.map(lastName) },
        ...(table ? { table } : {}),
      };
    }
    case 'SQLITE_CONSTRAINT_NOTNULL': {
      const columns = columnsOf(message);
      return {
        kind: 'NullConstraintViolation',
        ...(columns ? { constraint: { fields: columns.map(lastName) } } : {}),
      };
    }
    case 'SQLITE_CONSTRAINT_FOREIGNKEY':
    case 'SQLITE_CONSTRAINT_TRIGGER':
      return { kind: 'ForeignKeyConstraintViolation', constraint: { foreignKey: {} } };
    default:
      return code.startsWith('SQLITE_BUSY') ? { kind: 'SocketTimeout' } : byMessage(message);
  }
}

/** SQLite's code for all of these is 1, SQLITE_ERROR. */
function byMessage(message: string): ErrorPayload {
  const table = /^no such table: (.+)/.exec(message)?.[1];
  if (table !== undefined) return { kind: 'TableDoesNotExist', table };
  const column = /^no such column: (.+)|has no column named (.+)/.exec(message);
  const name = column?.[1] ?? column?.[2];
  if (name !== undefined) return { kind: 'ColumnNotFound', column: name };
  return { kind: 'sqlite', extendedCode: 1, message };
}

/** `UNIQUE constraint failed: users.email, users.tenant` */
function columnsOf(message: string): string[] | undefined {
  return message.split('constraint failed: ')[1]?.split(', ');
}

function lastName(column: string): string {
  return column.slice(column.lastIndexOf('.') + 1);
}

function isSqliteError(error: object): error is SqliteError {
  const { code, message } = error as Partial<SqliteError>;
  return typeof code === 'string' && code.startsWith('SQLITE_') && typeof message === 'string';
}
