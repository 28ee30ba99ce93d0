import type { ErrorPayload } from './driver-adapter.ts';

interface MysqlError {
  readonly errno: number;
  readonly sqlState: string;
  readonly sqlMessage: string;
}

/** What the server judged, in the kinds of Prisma; the words are those of the server's own messages. */
export function describeMysqlError(error: object): ErrorPayload | undefined {
  if (!isMysqlError(error)) return undefined;
  return {
    originalCode: String(error.errno),
    originalMessage: error.sqlMessage,
    ...kindOf(error),
  };
}

function kindOf({ errno, sqlState, sqlMessage: message }: MysqlError): ErrorPayload {
  const first = /'([^']*)'/.exec(message)?.[1];
  const last = /'([^']*)'[^']*$/.exec(message)?.[1];
  switch (errno) {
    case 1062:
      return duplicateKey(last);
    case 1451:
    case 1452: {
      const field = /FOREIGN KEY \(`([^`]+)`/.exec(message)?.[1];
      return {
        kind: 'ForeignKeyConstraintViolation',
        ...(field === undefined ? {} : { constraint: { fields: [field] } }),
      };
    }
    case 1263:
      return {
        kind: 'NullConstraintViolation',
        ...(last === undefined ? {} : { constraint: { index: last } }),
      };
    case 1048:
    case 1364:
      return {
        kind: 'NullConstraintViolation',
        ...(first === undefined ? {} : { constraint: { fields: [first] } }),
      };
    case 1264:
      return { kind: 'ValueOutOfRange', cause: message };
    case 1049:
      return { kind: 'DatabaseDoesNotExist', ...(last === undefined ? {} : { db: last }) };
    case 1007:
      return { kind: 'DatabaseAlreadyExists', ...(first === undefined ? {} : { db: first }) };
    case 1044:
      return { kind: 'DatabaseAccessDenied', ...(last === undefined ? {} : { db: last }) };
    case 1045:
      return { kind: 'AuthenticationFailed', ...(first === undefined ? {} : { user: first }) };
    case 1146: {
      const table = first?.split('.').pop();
      return { kind: 'TableDoesNotExist', ...(table === undefined ? {} : { table }) };
    }
    case 1054:
      return { kind: 'ColumnNotFound', ...(first === undefined ? {} : { column: first }) };
    case 1406:
      return { kind: 'LengthMismatch', ...(first === undefined ? {} : { column: first }) };
    case 1191:
      return { kind: 'MissingFullTextSearchIndex' };
    case 1213:
      return { kind: 'TransactionWriteConflict' };
    case 1040:
    case 1203:
      return { kind: 'TooManyConnections', cause: message };
    default:
      return { kind: 'mysql', code: errno, message, state: sqlState };
  }
}

/** `Duplicate entry 'x' for key 'users.users_email_key'`; MariaDB does not name the table. */
function duplicateKey(key: string | undefined): ErrorPayload {
  if (key === undefined) return { kind: 'UniqueConstraintViolation' };
  const at = key.lastIndexOf('.');
  return {
    kind: 'UniqueConstraintViolation',
    constraint: { index: key.slice(at + 1) },
    ...(at < 0 ? {} : { table: key.slice(0, at) }),
  };
}

function isMysqlError(error: object): error is MysqlError {
  const { errno, sqlState, sqlMessage } = error as Partial<MysqlError>;
  return (
    typeof errno === 'number' && typeof sqlState === 'string' && typeof sqlMessage === 'string'
  );
}
