import type { Dialect } from '@dal/core';
import { createHash } from 'node:crypto';
import { normalise } from './normalise.ts';

/** Statements that differ in nothing but their values, on one database, since `enableScaling()`. */
export interface Digest {
  /** The same for the same text, in every process: 16 hexadecimal characters. */
  readonly id: string;
  /** Normalised: comments out, `?` for literals and placeholders, `(?+)` for lists of them. */
  readonly text: string;
  /** The database's name. */
  readonly database: string;
  /** Attempts, retries included. */
  readonly count: number;
  /** Of `count`: ended by an error. */
  readonly errors: number;
  /** Rows that came back, or were changed. */
  readonly rows: number;
  /** Time on the connection, without waits for one and between attempts. */
  readonly totalMs: number;
  readonly meanMs: number;
  /** Half of the attempts took no longer; exact to 3.2 %, as `p95Ms` and `p99Ms` are. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface DigestsOptions {
  /** How many, those with the most total time first. Default: 20; Infinity: all. */
  readonly top?: number;
  /** Of this database only, by its name. Default: of all. */
  readonly database?: string;
}

/** A text's digest: what two statements have in common that differ in their values only. */
export function digestOf(
  statement: string,
  dialect: Pick<Dialect, 'lexis'>,
): { readonly id: string; readonly text: string } {
  const text = normalise(statement, dialect.lexis);
  return { id: idOf(text), text };
}

/** @param text normalised */
function idOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
