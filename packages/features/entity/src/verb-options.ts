import type { Sql, StatementOptions, Values } from '@dal/core';

/** For statements: `timeoutMs` counts for the whole call, and so does `signal`. */
export type CallOptions = Pick<StatementOptions, 'timeoutMs' | 'signal'>;

export interface ChangeOptions extends CallOptions {
  /** Who does it; kept with the version. */
  readonly userId?: string;
  /** Why; kept with the version. */
  readonly comment?: string;
  /**
   * The change is made only to this version, else `VersionConflictError`. 0: only when there is no
   * such entity yet.
   */
  readonly expectedVersion?: number;
}

export interface ReadOptions extends CallOptions {
  /** Deleted ones too. Default: false. */
  readonly includeDeleted?: boolean;
  /** Values as the driver reads them, not as their field's kind says. Default: false. */
  readonly raw?: boolean;
}

export interface CountOptions extends CallOptions {
  /**
   * An object of conditions, or SQL: `['age > ? AND city = ?', [21, 'Oslo']]` or
   * sql`age > ${21}`. SQL is the caller's own text; its values never reach it.
   */
  readonly where?: Where | Fragment;
  readonly includeDeleted?: boolean;
}

export interface FindOptions extends CountOptions {
  /** Default: by id. Null comes first going up, and last going down. */
  readonly orderBy?: OrderBy;
  /** Default: all. */
  readonly limit?: number;
  readonly offset?: number;
  readonly raw?: boolean;
}

export interface DeleteOptions extends ChangeOptions {
  /** Takes the row away for good, and its history with it. Default: false. */
  readonly permanent?: boolean;
}

/** Words that a condition may have. `in` takes a list, `like` a pattern with `%` and `_`. */
export type Operator =
  | '='
  | '!='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'in'
  | 'not in'
  | 'like'
  | 'not like'
  | 'is'
  | 'is not';

/** `{ age: { '>=': 18, '<': 65 } }` */
export type FieldConditions = { readonly [O in Operator]?: unknown };

/**
 * Conditions that must all hold: `{ status: 'active', city: ['Oslo', 'Lima'], boss: null,
 * age: { '>': 21 } }`. A list means one of them, null means none. Equality with `!=` and `not in`
 * holds for null too, as in JavaScript.
 */
export type Where = Readonly<Record<string, unknown>>;

/** What stands behind WHERE, with its values, as text with `?` and a list, or as sql`...`. */
export type Fragment = Sql | readonly [text: string, values?: Values];

/** `'age'`, `['age', 'desc']`, or a list of both. */
export type OrderBy = string | readonly (string | readonly [field: string, direction: Direction])[];

export type Direction = 'asc' | 'desc' | 'ASC' | 'DESC';
