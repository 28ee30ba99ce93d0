import type { ExecuteResult, Queryable } from '@dal/core';
import { adapterError } from './adapter-error.ts';
import type { SqlQuery, SqlQueryable, SqlResultSet } from './driver-adapter.ts';
import type { Engine } from './engine.ts';

/** What Prisma's query engine sends statements to: the database, or a connection in a transaction. */
export class QueryableAdapter<On extends Queryable> implements SqlQueryable {
  readonly provider: Engine['provider'];
  readonly adapterName = '@dal/prisma';
  protected readonly on: On;
  protected readonly engine: Engine;

  constructor(on: On, engine: Engine) {
    this.on = on;
    this.engine = engine;
    this.provider = engine.provider;
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    const result = await this.#run(query);
    const { columns, rows, insertId } = result;
    const columnTypes = this.engine.columnTypes(result);
    const columnNames = columns.map(({ name }) => name);
    const cells = rows.map((row) =>
      row.map((value, index) =>
        value === null ? null : this.engine.toPrisma(value, columnTypes[index]!, columns[index]!),
      ),
    );
    return insertId === undefined
      ? { columnNames, columnTypes, rows: cells }
      : { columnNames, columnTypes, rows: cells, lastInsertId: String(insertId) };
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    return (await this.#run(query)).affectedRows;
  }

  #run({ sql, args, argTypes }: SqlQuery): Promise<ExecuteResult<unknown[]>> {
    return adapterError(this.engine, () => {
      const values = args.map((value, index) =>
        this.engine.fromPrisma(value, argTypes[index] ?? UNKNOWN),
      );
      return this.on.execute<unknown[]>(sql, values, this.engine.statement);
    });
  }
}

const UNKNOWN = { scalarType: 'unknown', arity: 'scalar' } as const;
