import type { TransactionOutcome } from '@dal/core';

/**
 * Names a transaction so that no other can be taken for it. The server's own number alone doesn't:
 *
 * - Another cluster counts for itself: so the cluster's number is in it.
 * - A standby that was promoted goes on counting from where its copy ended, and gives numbers again
 *   that were lost with the old primary: so the WAL's timeline is in it, which a promotion changes.
 * - After a crash, numbers are given again that had not reached the disk: so the moment is in it at
 *   which the server last forgot its statistics, which it does at every recovery from a crash.
 */
export interface TransactionName {
  readonly cluster: string;
  readonly timeline: string;
  /** Since when the server has not crashed. */
  readonly since: string;
  readonly number: string;
}

const NUMBER = 'pg_catalog.pg_current_xact_id_if_assigned()::text';
/** A standby has no place in the WAL to write to, and refuses to name one. */
const TIMELINE =
  'CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) END';
const CLUSTER = '(SELECT system_identifier::text FROM pg_catalog.pg_control_system())';
const SINCE =
  "(SELECT to_char(stats_reset AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') FROM pg_catalog.pg_stat_bgwriter)";

/** All parts of the name. Servers that are no PostgreSQL of 13 or later refuse it. */
export const ASK_ALL: string = `SELECT ${NUMBER}, ${TIMELINE}, ${CLUSTER}, ${SINCE}`;

/** All parts, and what the server is. */
export const ASK_WHETHER: string = `${ASK_ALL}, pg_catalog.version()`;

/** Distributed relatives have these functions as well, but their own ways to commit. */
export function isPostgres(version: unknown): boolean {
  return typeof version === 'string' && /^PostgreSQL \d/.test(version) && !/-YB-/.test(version);
}

/** The parts that change while a session lasts; the others cost a look into a file. */
export const ASK_CHANGING: string = `SELECT ${NUMBER}, ${TIMELINE}`;

export const ASK_OUTCOME = 'SELECT pg_catalog.pg_xact_status($1::xid8)';

/** What the server answered to one of the questions; null where it doesn't say. */
export type Parts = readonly (string | null)[];

/** The id for the layer; undefined when the transaction has no number yet. */
export function transactionId(parts: Parts, constant: Parts): string | undefined {
  const [number, timeline] = parts;
  const [, , cluster, since] = constant;
  return number && timeline && cluster && since
    ? `${cluster}/${timeline}/${since}/${number}`
    : undefined;
}

export function readTransactionId(id: string): TransactionName | undefined {
  const match = /^(\d{1,20})\/([0-9A-F]{8})\/(\d{20,24})\/(\d{1,20})$/.exec(id);
  if (!match) return undefined;
  const [, cluster, timeline, since, number] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { cluster, timeline, since, number };
}

/** Whether this server can know of the transaction at all; `parts` is its answer to `ASK_ALL`. */
export function isSameServer({ cluster, timeline }: TransactionName, parts: Parts): boolean {
  return parts[1] === timeline && parts[2] === cluster;
}

/** `status` is what the server says of the number; undefined for a number it has not given yet. */
export function outcomeOf(
  { since }: TransactionName,
  parts: Parts,
  status: string | null | undefined,
): TransactionOutcome {
  // Not given, or given again since a crash and taken back: ours was lost before it could commit.
  if (status === undefined || status === 'aborted') return 'rolledBack';
  if (parts[3] !== since) return 'unknown';
  if (status === 'committed') return 'committed';
  return status === 'in progress' ? 'running' : 'unknown';
}
