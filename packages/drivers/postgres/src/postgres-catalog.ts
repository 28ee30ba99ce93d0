import { type Catalog, type CatalogFilter, type Sql, sql } from '@dal/core';

/** Asks `pg_catalog`, not `information_schema`: that one hides tables that belong to others. */
export const postgresCatalog: Catalog = {
  tables: (filter) => sql`
    SELECT c.relname AS name, n.nspname AS schema,
      CASE WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${matches(filter)}`,

  columns: (at) => sql`
    SELECT a.attname AS name,
      row_number() OVER (ORDER BY a.attnum) AS ordinal,
      pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
      NOT (a.attnotnull OR t.typnotnull) AS nullable,
      CASE WHEN a.attgenerated = '' AND NOT o.owned THEN ${expression} END AS default_sql,
      k.place AS primary_key,
      a.attidentity <> '' OR o.owned AS auto_increment,
      CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END AS generated
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_constraint p ON p.conrelid = c.oid AND p.contype = 'p'
    LEFT JOIN LATERAL unnest(p.conkey) WITH ORDINALITY k (attnum, place) ON k.attnum = a.attnum
    CROSS JOIN LATERAL (${ownsItsSequence}) o (owned)
    WHERE ${matches(at)}
    ORDER BY a.attnum`,

  databases: () => sql`
    SELECT datname AS name, datname = current_database() AS is_current
    FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate`,

  analyze: ({ schema, table }) => [sql`ANALYZE ${sql.id(schema, table)}`],
  optimize: ({ schema, table }) => [sql`VACUUM (ANALYZE) ${sql.id(schema, table)}`],

  // Whoever may not gets a warning from the server, and a success.
  mayMaintain: ({ schema, table }) => sql`
    SELECT pg_has_role(c.relowner, 'USAGE')
      OR EXISTS (SELECT FROM pg_catalog.pg_database
        WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE'))
      OR CASE WHEN current_setting('server_version_num')::int >= 170000
        THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${matches({ schema, table })}`,
};

/** Values are compared as text: as a `name` they would be cut after 63 bytes first. */
function matches({ schema, table }: CatalogFilter): Sql {
  const place =
    schema === undefined
      ? sql`pg_catalog.pg_table_is_visible(c.oid)
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')`
      : sql`n.nspname = ${schema}::text`;
  const kinds = sql`c.relkind IN ('r', 'p', 'f', 'v', 'm')`;
  return table === undefined
    ? sql`${kinds} AND ${place}`
    : sql`${kinds} AND ${place} AND c.relname = ${table}::text`;
}

/** A number in quotes loses its quotes, and a constant the type that the server put behind it. */
const expression = sql`
  regexp_replace(
    regexp_replace(
      pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      '^''(-?[0-9.]+)''::(smallint|integer|bigint|numeric|real|double precision)(\\(.*\\))?$', '\\1'),
    '^(NULL|''([^'']|'''')*'')::[^'']*$', '\\1')`;

/** What `serial` makes: a sequence that goes when its column goes. */
const ownsItsSequence = sql`
  SELECT d.adbin IS NOT NULL AND EXISTS (
    SELECT FROM pg_catalog.pg_depend s
    JOIN pg_catalog.pg_class q ON q.oid = s.objid AND q.relkind = 'S'
    WHERE s.classid = 'pg_catalog.pg_class'::regclass AND s.deptype = 'a'
      AND s.refclassid = 'pg_catalog.pg_class'::regclass
      AND s.refobjid = c.oid AND s.refobjsubid = a.attnum)`;
