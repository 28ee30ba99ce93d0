import {
  BIGINT,
  BLOB,
  type DuckDBBlobValue,
  blobValue,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  HUGEINT,
  SQLNULL,
  TIMESTAMP,
  timestampValue,
  VARCHAR,
} from '@duckdb/node-api';
import {
  ConfigError,
  integerReader,
  jsonFromText,
  timestampFromText,
  type ValueOptions,
} from '@dal/core';

/** A value, and the type under which DuckDB is to take it. */
export interface Bound {
  readonly value: DuckDBValue;
  readonly type: DuckDBType;
}

/** @throws ConfigError for what DuckDB can't hold */
export function encodeValue(value: unknown, index: number): Bound {
  switch (typeof value) {
    case 'string':
      return { value, type: VARCHAR };
    case 'boolean':
      return { value, type: BOOLEAN };
    case 'number':
      // A whole number stays one: as a double it could not be compared with every BIGINT.
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { value: BigInt(value), type: BIGINT }
        : { value, type: DOUBLE };
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return { value, type: BIGINT };
      if (BigInt.asIntN(128, value) === value) return { value, type: HUGEINT };
      throw new ConfigError(
        `Value ${index + 1} of the statement is a bigint beyond 128 bits. Nothing was sent.`,
        { code: 'DAL_VALUE', kind: 'data' },
      );
    default:
      if (value instanceof Date) {
        return { value: timestampValue(BigInt(value.getTime()) * 1_000n), type: TIMESTAMP };
      }
      if (value instanceof Uint8Array) return { value: blobValue(value), type: BLOB };
      return { value: null, type: SQLNULL };
  }
}

export type ReadCell = (cell: DuckDBValue) => unknown;

/** How the cells of a column are read. */
export function cellReader(type: DuckDBType, settings: ValueOptions): ReadCell {
  const integer = integerReader(settings.integers);
  switch (type.typeId) {
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.UHUGEINT:
    case DuckDBTypeId.BIGNUM:
      return (cell) => integer(String(cell));
    case DuckDBTypeId.DECIMAL:
      return settings.decimals === 'number' ? (cell) => Number(String(cell)) : String;
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_NS:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return settings.timestamps === 'text' ? String : (cell) => timestampFromText(String(cell));
    case DuckDBTypeId.BLOB:
      return (cell) => Buffer.from((cell as DuckDBBlobValue).bytes);
    case DuckDBTypeId.BOOLEAN:
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return (cell) => cell;
    default:
      // DATE, TIME, UUID, and whatever is nested, in DuckDB's own words.
      return type.alias === 'JSON' && settings.json !== 'text'
        ? (cell) => jsonFromText(String(cell))
        : String;
  }
}
