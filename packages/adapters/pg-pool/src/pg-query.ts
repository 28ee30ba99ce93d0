import type { StatementOptions } from '@dal/core';
import type { QueryResult, Submittable } from './pg-library.ts';

export type Callback<T> = (error: unknown, result?: T) => void;

/** A call of `query`, in whichever of `pg`'s shapes it came. */
export interface PgQuery {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly options: StatementOptions;
  /** It may be several statements, which only the simple protocol takes, and nobody may repeat. */
  readonly isSeveral: boolean;
}

/** What `pg` takes as a query, and `signal` beside it. */
interface QueryObject {
  readonly text?: unknown;
  readonly values?: readonly unknown[];
  readonly rowMode?: string;
  readonly types?: unknown;
  readonly query_timeout?: number;
  readonly signal?: AbortSignal;
  readonly callback?: Callback<QueryResult>;
}

/** What a client or pool was told once for all its queries. */
export interface QueryDefaults {
  readonly types?: unknown;
  readonly query_timeout?: number | undefined;
}

export function isSubmittable(query: unknown): query is Submittable {
  return typeof (query as { submit?: unknown } | null)?.submit === 'function';
}

/** The callback, wherever `pg` takes one. @throws TypeError for what can't be called */
export function callbackOf(
  query: unknown,
  values: unknown,
  callback: unknown,
): Callback<QueryResult> | undefined {
  const given =
    callback ?? (typeof values === 'function' ? values : (query as QueryObject | null)?.callback);
  if (given === undefined || given === null) return undefined;
  if (typeof given !== 'function') throw new TypeError('callback is not a function');
  return given as Callback<QueryResult>;
}

/** @throws Error in `pg`'s words */
export function readQuery(query: unknown, values: unknown, defaults: QueryDefaults): PgQuery {
  const given = typeof query === 'string' ? { text: query } : (query as QueryObject);
  if (typeof given.text !== 'string') {
    throw new TypeError(
      'A query must have either text or a name. Supplying neither is unsupported.',
    );
  }
  const list = (typeof values === 'function' ? undefined : values) ?? given.values ?? [];
  if (!Array.isArray(list)) throw new TypeError('Query values must be an array');
  const { text, rowMode, signal, types = defaults.types } = given;
  const timeoutMs = given.query_timeout || defaults.query_timeout;
  const isSeveral = list.length === 0 && severalStatements.test(text);
  return {
    text,
    values: list as readonly unknown[],
    isSeveral,
    options: {
      placeholders: 'native',
      mapping: 'library',
      ...(rowMode === 'array' ? { rowMode } : {}),
      ...(timeoutMs ? { timeoutMs } : {}),
      ...(signal ? { signal } : {}),
      libraryOptions: {
        ...(types ? { types } : {}),
        ...(isSeveral ? { queryMode: 'simple' } : {}),
      },
    },
  };
}

/** Also true of a single statement with such a text in it: it only loses its second attempt. */
const severalStatements = /;\s*\S/;
