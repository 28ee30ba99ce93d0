import type { BeginOptions } from '@dal/core';

export type TransactionWord =
  | { readonly kind: 'begin' | 'next'; readonly options: BeginOptions }
  | { readonly kind: 'commit' | 'rollback' };

/**
 * What Knex's own words for a transaction say, so that they become calls of the layer: that has other
 * words for SQLite, and asks what became of a COMMIT whose answer was lost. Undefined for savepoints,
 * which are sent as they are.
 */
export function transactionWord(sql: string): TransactionWord | undefined {
  const match = words.exec(sql);
  const { verb, isolation, readOnly } = match?.groups ?? {};
  switch (verb) {
    case 'BEGIN':
    case 'BEGIN TRANSACTION':
    case 'SET TRANSACTION':
      return {
        kind: verb === 'SET TRANSACTION' ? 'next' : 'begin',
        options: {
          ...(isolation === undefined ? {} : { isolation: camelCase(isolation) }),
          ...(readOnly === undefined ? {} : { readOnly: true }),
        },
      };
    case 'COMMIT':
      return { kind: 'commit' };
    case 'ROLLBACK':
      return { kind: 'rollback' };
    default:
      return undefined;
  }
}

const words =
  /^(?<verb>BEGIN(?: TRANSACTION)?|SET TRANSACTION|COMMIT|ROLLBACK)(?: ISOLATION LEVEL (?<isolation>[a-z ]+?))?(?<readOnly> READ ONLY)?;?$/;

/** `read committed` is `readCommitted`. */
function camelCase(name: string): string {
  return name.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
}
