import { type Catalog, type CatalogFilter, type Sql, sql } from '@dal/core';

/** Names are compared as SQLite compares them: capitals don't count. */
export const sqliteCatalog: Catalog = {
  tables: (filter) => sql`
    SELECT name, schema, kind FROM (
      SELECT l.name, l.schema, CASE l.type WHEN 'view' THEN 'view' ELSE 'table' END AS kind,
        row_number() OVER (
          PARTITION BY lower(l.name) ORDER BY l.schema <> 'temp', d.seq
        ) AS reached
      FROM pragma_table_list l
      JOIN pragma_database_list d ON d.name = l.schema
      WHERE l.type IN ('table', 'view', 'virtual') AND ${matches(filter)}
    ) WHERE reached = 1`,

  columns: (at) => sql`
    SELECT x.name, row_number() OVER (ORDER BY x.cid) AS ordinal, x.type,
      NOT (x."notnull" OR ${rowid(at)}) AS nullable,
      x.dflt_value AS default_sql,
      nullif(x.pk, 0) AS primary_key,
      ${rowid(at)} AS auto_increment,
      CASE x.hidden WHEN 2 THEN 'virtual' WHEN 3 THEN 'stored' END AS generated
    FROM pragma_table_xinfo(${address(at)}) x
    WHERE x.hidden <> 1
    ORDER BY x.cid`,

  databases: () => sql`
    SELECT name, name = 'main' AS is_current FROM pragma_database_list WHERE name <> 'temp'`,

  analyze: ({ schema, table }) => [sql`ANALYZE ${sql.id(schema, table)}`],
  // SQLite has no smaller broom than one for the whole file.
  optimize: ({ schema, table }) => [
    sql`VACUUM ${sql.id(schema)}`,
    sql`ANALYZE ${sql.id(schema, table)}`,
  ],
};

function matches({ schema, table }: CatalogFilter): Sql {
  const place =
    schema === undefined
      ? sql`substr(l.name, 1, 7) <> 'sqlite_'`
      : sql`l.schema = ${schema} COLLATE NOCASE AND substr(l.name, 1, 7) <> 'sqlite_'`;
  return table === undefined ? place : sql`${place} AND l.name = ${table} COLLATE NOCASE`;
}

function address({ schema, table }: CatalogFilter): Sql {
  return schema === undefined ? sql`${table}` : sql`${table}, ${schema}`;
}

/**
 * The column is another name for the rowid: SQLite counts it up, and no null ever stays in it. Any
 * other primary key has an index of its own.
 */
function rowid(at: CatalogFilter): Sql {
  return sql`(x.pk = 1 AND upper(x.type) = 'INTEGER' AND NOT EXISTS (
    SELECT 1 FROM pragma_index_list(${address(at)}) WHERE origin = 'pk'))`;
}
