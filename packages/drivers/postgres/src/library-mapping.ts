import { ConfigError, type LibraryOptions } from '@dal/core';
import { libraryTypes, type PgField, type PgTypes, prepareValue } from './pg-client.ts';
import { type EncodedValue, nameOfType, type PostgresTypes } from './postgres-types.ts';

/**
 * Values as `pg` reads them: by its type parsers, also those that a program has set, or by the `types`
 * of this statement.
 *
 * @throws ConfigError
 */
export function typesOfLibrary(options: LibraryOptions | undefined): PostgresTypes {
  const types = options?.['types'] ?? libraryTypes;
  if (!hasParsers(types)) {
    throw new ConfigError(
      'libraryOptions.types must have a getTypeParser(oid, format), as in pg. Nothing was sent.',
      { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
    );
  }
  // Who changes a few types may leave out the others, whose parsers only pg has.
  const parserOf: PgTypes['getTypeParser'] = (oid, format) =>
    (types as Partial<PgTypes>).getTypeParser?.(oid, format) ??
    libraryTypes.getTypeParser(oid, format);
  return {
    reader: (oid) => parserOf(oid, 'text'),
    nameOf: nameOfType,
    getTypeParser: (oid, format) => parserOf(oid, format ?? 'text'),
  };
}

/** Values as `pg` writes them: a Date in local time, lists as arrays, objects as JSON or `toPostgres()`. */
export function valuesOfLibrary(values: readonly unknown[]): EncodedValue[] {
  return values.map((value) => prepareValue(value));
}

/** What `pg` answers, as far as it is documented. */
export interface LibraryResult {
  readonly command: string | null;
  readonly rowCount: number | null;
  readonly oid: number | null;
  readonly rows: unknown[];
  readonly fields: readonly PgField[];
  readonly rowAsArray: boolean;
}

/** @param tag such as `INSERT 0 5`; empty for a text without a statement */
export function resultOfLibrary(
  tag: string,
  rows: unknown[],
  fields: readonly PgField[],
  rowAsArray: boolean,
): LibraryResult {
  // An old server's INSERT has the oid of the row in front of the count.
  const [, command = null, first, second] = tagParts.exec(tag) ?? [];
  const count = second ?? first;
  return {
    command,
    rowCount: count === undefined ? null : Number(count),
    oid: second === undefined ? null : Number(first),
    rows,
    fields,
    rowAsArray,
  };
}

const tagParts = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/;

function hasParsers(types: unknown): types is PgTypes {
  return typeof (types as Partial<PgTypes> | null)?.getTypeParser === 'function';
}
