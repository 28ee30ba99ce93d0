import type { Sql } from './sql.ts';

/** What the database knows of its own tables; the same answers on every engine. */
export interface Schema {
  /** Tables and views, by schema and name. The engine's own are left out unless asked for. */
  tables(options?: SchemaOptions): Promise<TableInfo[]>;
  /**
   * The columns of a table or view, in their order.
   *
   * @throws QueryError `DAL_NO_TABLE` when there is no such table, with the likely right name
   */
  columns(table: string, options?: SchemaOptions): Promise<ColumnInfo[]>;
  /** Whether a table or view has this name. */
  tableExists(table: string, options?: SchemaOptions): Promise<boolean>;
  /** What this user may see: databases (PostgreSQL, MySQL, MariaDB), or attached files (SQLite). */
  databases(options?: Omit<SchemaOptions, 'schema'>): Promise<DatabaseInfo[]>;
}

export interface SchemaOptions {
  /**
   * Where the table lives: a schema (PostgreSQL), a database (MySQL, MariaDB) or an attached file
   * (SQLite). Default: wherever a statement finds a name that has no schema in front.
   */
  readonly schema?: string;
  /** Milliseconds or `"10s"`. Default: the time of a statement. */
  readonly timeoutMs?: number | string;
  readonly signal?: AbortSignal;
}

export interface TableInfo {
  readonly name: string;
  readonly schema: string;
  readonly kind: 'table' | 'view';
}

export interface ColumnInfo {
  readonly name: string;
  /** From 1, without gaps. */
  readonly ordinal: number;
  /** In the engine's own words, such as `character varying(255)`; empty where none was given. */
  readonly type: string;
  readonly nullable: boolean;
  /** As SQL: `'new'`, `5`, `true`, `CURRENT_TIMESTAMP`. Null when there is none. */
  readonly default: string | null;
  /** The column's place in the primary key, from 1; null when it is no part of it. */
  readonly primaryKey: number | null;
  /** The engine counts a number up when none is given. */
  readonly autoIncrement: boolean;
  /** Computed from other columns, and kept or not. */
  readonly generated: 'stored' | 'virtual' | null;
}

export interface DatabaseInfo {
  readonly name: string;
  /** This is the one that statements go to. */
  readonly isCurrent: boolean;
}

/** What the engine said of its work on a table; the words are MySQL's, the shape is everybody's. */
export interface MaintenanceMessage {
  /** With its schema: `public.orders`. */
  readonly table: string;
  readonly op: 'analyze' | 'optimize';
  readonly messageType: 'status' | 'info' | 'note' | 'warning' | (string & {});
  readonly messageText: string;
}

/** Which tables are asked for. */
export interface CatalogFilter {
  /** Undefined: wherever a name without a schema is found. */
  readonly schema: string | undefined;
  /** Undefined: all of them. */
  readonly table: string | undefined;
}

/** One table that exists, by the names that the catalog has for it. */
export interface CatalogTable {
  readonly schema: string;
  readonly table: string;
}

/**
 * The statements that ask an engine for what it knows of its tables, and that look after them.
 * Yes and no may be answered as booleans or as 1 and 0.
 */
export interface Catalog {
  /** Rows with `name`, `schema` and `kind`. */
  readonly tables: (filter: CatalogFilter) => Sql;
  /**
   * Rows with `name`, `ordinal`, `type`, `nullable`, `default_sql` (an expression), `primary_key`,
   * `auto_increment` and `generated`; none when there is no such table.
   */
  readonly columns: (at: CatalogFilter & { readonly table: string }) => Sql;
  /** Rows with `name` and `is_current`. */
  readonly databases: () => Sql;
  /** Renew what the planner knows of the table. Rows in MySQL's form are passed on. */
  readonly analyze: (at: CatalogTable) => readonly Sql[];
  /** Give back the space of deleted rows, and analyze. Never inside a transaction. */
  readonly optimize: (at: CatalogTable) => readonly Sql[];
  /** One value: may this user do either? For engines that skip a table without an error. */
  readonly mayMaintain?: (at: CatalogTable) => Sql;
}
