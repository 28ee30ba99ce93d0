/** What Knex hands to a client: a statement of a builder, or one of its own. */
export interface KnexStatement {
  sql: string;
  readonly bindings?: readonly unknown[];
  /** What the user gave to `.options()`. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The kind of builder, such as `select`, `insert` or `raw`; undefined for the words of a transaction. */
  readonly method?: string;
  /** The answer in the shape of the driver that this client was written for. */
  response?: unknown;
  /** SQLite: what `run` said. */
  context?: { readonly lastID: number | bigint; readonly changes: number };
}
