import type { Column, ExecuteResult, StatementOptions } from '@dal/core';
import type { ArgType, ColumnType, ErrorPayload, SqlQueryable } from './driver-adapter.ts';
import { mysql } from './mysql.ts';
import { postgres } from './postgres.ts';
import { sqlite } from './sqlite.ts';

/** What differs from one database to the next. */
export interface Engine {
  readonly provider: SqlQueryable['provider'];
  readonly statement: StatementOptions;
  /** Throws DriverAdapterError for a type that Prisma has no form for. */
  columnTypes(result: ExecuteResult<unknown[]>): ColumnType[];
  /** A cell, in the form that Prisma's engine reads; never called with null. */
  toPrisma(value: unknown, type: ColumnType, column: Column): unknown;
  /** A parameter, in the form that the layer takes. */
  fromPrisma(value: unknown, type: ArgType): unknown;
  /** The server's own judgement; undefined for an error that is not one. */
  describeError(error: object): ErrorPayload | undefined;
}

/** Undefined when Prisma has no provider for it. */
export function engineOf(dialect: string): Engine | undefined {
  return [postgres, mysql, sqlite].find(({ provider }) => provider === dialect);
}
