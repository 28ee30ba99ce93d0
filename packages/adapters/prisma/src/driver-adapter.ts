// The only file that knows the package behind it.
export {
  type ArgType,
  type ColumnType,
  ColumnTypeEnum as ColumnTypes,
  type ConnectionInfo,
  DriverAdapterError,
  type Error as ErrorPayload,
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlDriverAdapterFactory,
  type SqlQuery,
  type SqlQueryable,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils';
