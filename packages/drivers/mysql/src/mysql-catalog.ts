import { type Catalog, type CatalogFilter, type Sql, sql } from '@dal/core';

/**
 * One catalog for MySQL and MariaDB. What only MariaDB is to read stands in its own comments, which
 * are comments to MySQL. Temporary tables are not listed by MySQL.
 */
export const mysqlCatalog: Catalog = {
  tables: (filter) => sql`
    SELECT t.table_name AS name, t.table_schema AS \`schema\`,
      IF(t.table_type LIKE '%VIEW', 'view', 'table') AS kind
    FROM information_schema.tables t
    WHERE ${matches('t', filter)} AND t.table_type NOT LIKE '%SEQUENCE'`,

  // The same values for both tables: MariaDB opens every file of the server for a mere join.
  columns: (at) => sql`
    SELECT c.column_name AS name, c.ordinal_position AS ordinal, ${columnType} AS type,
      c.is_nullable = 'YES' AS nullable, ${expression} AS default_sql,
      k.ordinal_position AS primary_key,
      c.extra LIKE '%auto_increment%' AS auto_increment,
      CASE WHEN c.extra LIKE '%STORED GENERATED%' THEN 'stored'
        WHEN c.extra LIKE '%VIRTUAL GENERATED%' THEN 'virtual' END AS \`generated\`
    FROM information_schema.columns c
    LEFT JOIN information_schema.key_column_usage k
      ON ${matches('k', at)} AND k.constraint_name = 'PRIMARY' AND k.column_name = c.column_name
    WHERE ${matches('c', at)}
    ORDER BY c.ordinal_position`,

  databases: () => sql`
    SELECT schema_name AS name, schema_name <=> DATABASE() AS is_current
    FROM information_schema.schemata
    WHERE schema_name NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
      OR schema_name <=> DATABASE()`,

  analyze: ({ schema, table }) => [sql`ANALYZE TABLE ${sql.id(schema, table)}`],
  optimize: ({ schema, table }) => [sql`OPTIMIZE TABLE ${sql.id(schema, table)}`],
};

function matches(alias: 't' | 'c' | 'k', { schema, table }: CatalogFilter): Sql {
  const of = sql.raw(alias);
  const place =
    schema === undefined
      ? sql`${of}.table_schema = DATABASE()`
      : sql`${of}.table_schema = ${schema}`;
  return table === undefined ? place : sql`${place} AND ${of}.table_name = ${table}`;
}

/** MariaDB keeps JSON as LONGTEXT with a check, and forgets the word. */
const columnType = sql`
  /*M! IF(c.column_type = 'longtext' AND EXISTS (
    SELECT 1 FROM information_schema.check_constraints j
    WHERE j.constraint_schema = c.table_schema AND j.table_name = c.table_name
      AND j.check_clause = CONCAT('json_valid(\`', c.column_name, '\`)')
  ), 'json', */ c.column_type /*M! ) */`;

/** MariaDB says it as SQL. MySQL says the bare value of a constant, and writes \' for ' elsewhere. */
const expression = sql`
  /*M! IF(TRUE, c.column_default, */
  CASE WHEN c.extra LIKE '%DEFAULT_GENERATED%' THEN REPLACE(c.column_default, '\\\\\\'', '\\'')
    WHEN c.data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float',
      'double', 'bit', 'year') THEN c.column_default
    ELSE CONCAT('\\'', REPLACE(REPLACE(c.column_default, '\\\\', '\\\\\\\\'), '\\'', '\\'\\''), '\\'')
  END
  /*M! ) */`;
