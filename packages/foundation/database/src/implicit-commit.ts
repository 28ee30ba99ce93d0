import type { Dialect } from '@dal/core';
import type { CompiledStatement } from './compile-statement.ts';

/**
 * True for what MySQL and MariaDB commit an open transaction for, whether it then succeeds or not.
 * From both manuals, "Statements That Cause an Implicit Commit".
 */
export function commitsImplicitly(
  { ddlCommits }: Dialect,
  { text, operation }: CompiledStatement,
): boolean {
  if (!ddlCommits) return false;
  if (always.has(operation)) return true;
  const pattern = Object.hasOwn(dependent, operation) ? dependent[operation] : undefined;
  return pattern?.test(text.replace(beforeFirstWord, '')) ?? false;
}

const always = new Set(
  'ALTER RENAME TRUNCATE GRANT REVOKE FLUSH INSTALL UNINSTALL IMPORT OPTIMIZE REPAIR CACHE STOP'.split(
    ' ',
  ),
);

/** Where more than the first word decides. */
const dependent: Readonly<Record<string, RegExp>> = {
  CREATE: /^CREATE(?!\s+(?:OR\s+REPLACE\s+)?TEMPORARY\b)/i,
  DROP: /^DROP(?!\s+(?:TEMPORARY|PREPARE)\b)/i,
  ANALYZE: /^ANALYZE\s+(?:(?:LOCAL|NO_WRITE_TO_BINLOG)\s+)?TABLES?\b/i,
  CHECK: /^CHECK\s+(?:TABLES?|VIEW)\b/i,
  LOAD: /^LOAD\s+INDEX\b/i,
  LOCK: /^LOCK\s+TABLES?\b/i,
  RESET: /^RESET(?!\s+PERSIST\b)/i,
  CHANGE: /^CHANGE\s+(?:MASTER|REPLICATION)\b/i,
  SET: /^SET\s+PASSWORD\b/i,
  START: /^START\s+(?:ALL\s+)?(?:SLAVES?|REPLICAS?|GROUP_REPLICATION)\b/i,
};

/** White space, comments, and the opening of a comment that the server reads as code. */
const beforeFirstWord = /^(?:\s|\/\*!\d*|\/\*(?!!)[^]*?\*\/|--[^\n]*\n|#[^\n]*\n)*/;
