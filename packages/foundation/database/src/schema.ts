import {
  anything,
  type Catalog,
  checkIdentifier,
  type ColumnInfo,
  ConfigError,
  type DatabaseInfo,
  type OptionReader,
  type Queryable,
  QueryError,
  readOptions,
  type Row,
  type Schema,
  type SchemaOptions,
  type Sql,
  suggest,
  type TableInfo,
} from '@dal/core';

/** Asks the engine's catalog, through whatever runs statements: a database, a connection, a transaction. */
export class CatalogReader implements Schema {
  readonly #on: Queryable;

  constructor(on: Queryable) {
    this.#on = on;
  }

  async tables(options: SchemaOptions = {}): Promise<TableInfo[]> {
    const { schema, ask } = this.#read('tables', options);
    return this.#tables(ask, schema, undefined);
  }

  async columns(table: string, options: SchemaOptions = {}): Promise<ColumnInfo[]> {
    const { schema, ask } = this.#read('columns', options, table);
    const rows = await ask((catalog) => catalog.columns({ schema, table }));
    // PostgreSQL has tables without columns.
    if (rows.length === 0 && !(await this.#exists(ask, schema, table))) {
      throw await this.#noTable(ask, schema, table);
    }
    return rows.map(toColumn);
  }

  async tableExists(table: string, options: SchemaOptions = {}): Promise<boolean> {
    const { schema, ask } = this.#read('tableExists', options, table);
    return this.#exists(ask, schema, table);
  }

  async databases(options: Omit<SchemaOptions, 'schema'> = {}): Promise<DatabaseInfo[]> {
    const { ask } = this.#read('databases', options);
    const rows = await ask((catalog) => catalog.databases());
    return rows
      .map((row) => ({ name: String(row['name']), isCurrent: isTrue(row['is_current']) }))
      .toSorted((a, b) => compare(a.name, b.name));
  }

  /**
   * The table that a name means, by the catalog's own names for it.
   *
   * @throws QueryError `DAL_NO_TABLE`, with the likely right name
   */
  async find(method: string, table: string, options: SchemaOptions): Promise<TableInfo> {
    const { schema, ask } = this.#read(method, options, table);
    const [found] = await this.#tables(ask, schema, table);
    if (found === undefined) throw await this.#noTable(ask, schema, table);
    return found;
  }

  #read(method: string, options: SchemaOptions, table?: string): { schema?: string; ask: Ask } {
    const { schema, ...statement } = readOptions(`schema.${method}`, { ...options }, readers);
    if (table !== undefined) checkIdentifier(table);
    if (schema !== undefined) checkIdentifier(schema);
    const catalog = catalogOf(this.#on);
    return {
      ...(schema === undefined ? {} : { schema }),
      // A question changes nothing, so it may be asked again.
      ask: (question) => this.#on.query(question(catalog), { ...statement, idempotent: true }),
    };
  }

  async #tables(ask: Ask, schema: string | undefined, table: string | undefined) {
    const rows = await ask((catalog) => catalog.tables({ schema, table }));
    return rows
      .map(toTable)
      .toSorted((a, b) => compare(a.schema, b.schema) || compare(a.name, b.name));
  }

  async #exists(ask: Ask, schema: string | undefined, table: string): Promise<boolean> {
    return (await this.#tables(ask, schema, table)).length > 0;
  }

  async #noTable(ask: Ask, schema: string | undefined, table: string): Promise<QueryError> {
    const known = await this.#tables(ask, schema, undefined);
    const likely = suggest(
      table,
      known.map(({ name }) => name),
    );
    const where = schema === undefined ? '' : ` in "${schema}"`;
    const advice = likely === undefined ? '' : ` Did you mean "${likely}"?`;
    return new QueryError(`There is no table "${table}"${where}.${advice}`, {
      kind: 'schema',
      code: 'DAL_NO_TABLE',
    });
  }
}

/** @throws ConfigError when the driver has none */
export function catalogOf({ dialect }: Pick<Queryable, 'dialect'>): Catalog {
  if (dialect.catalog) return dialect.catalog;
  throw new ConfigError(
    `The driver for "${dialect.name}" doesn't say how its tables are looked up (dialect.catalog is not set). Nothing was sent.`,
    { kind: 'usage', code: 'DAL_NO_CATALOG' },
  );
}

type Ask = (question: (catalog: Catalog) => Sql) => Promise<Row[]>;

const readers = {
  schema: anything as OptionReader<string>,
  timeoutMs: anything as OptionReader<number | string>,
  signal: anything as OptionReader<AbortSignal>,
};

function toTable(row: Row): TableInfo {
  return {
    name: String(row['name']),
    schema: String(row['schema']),
    kind: row['kind'] === 'view' ? 'view' : 'table',
  };
}

function toColumn(row: Row): ColumnInfo {
  const type = typeof row['type'] === 'string' ? row['type'] : '';
  const place = row['primary_key'];
  const { generated } = row;
  return {
    name: String(row['name']),
    ordinal: Number(row['ordinal']),
    type,
    nullable: isTrue(row['nullable']),
    default: defaultSql(row['default_sql'], type),
    primaryKey: place === null || place === undefined ? null : Number(place),
    autoIncrement: isTrue(row['auto_increment']),
    generated: generated === 'stored' || generated === 'virtual' ? generated : null,
  };
}

/** Engines have their own words for the same few defaults. */
function defaultSql(expression: unknown, type: string): string | null {
  if (typeof expression !== 'string' || /^null$/i.test(expression)) return null;
  if (/^current_timestamp(?:\(\d*\))?$/i.test(expression)) return 'CURRENT_TIMESTAMP';
  if (/^(?:bool|boolean|tinyint\(1\))$/i.test(type)) {
    if (/^(?:1|true)$/i.test(expression)) return 'true';
    if (/^(?:0|false)$/i.test(expression)) return 'false';
  }
  return expression;
}

/** Whatever the database's options make of whole numbers. */
function isTrue(value: unknown): boolean {
  return value === true || Number(value) === 1;
}

/** By code unit: the order of words differs between servers. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
