import type { Dialect } from '@dal/core';
import type { CompiledStatement } from './compile-statement.ts';
import { commitsImplicitly } from './implicit-commit.ts';
import type { Gone } from './transaction-errors.ts';

/** Words that surely change no rows by themselves. */
const reading = new Set(
  'SELECT SHOW EXPLAIN DESCRIBE DESC VALUES TABLE FETCH DECLARE CLOSE SET USE PRAGMA HELP SAVEPOINT RELEASE ROLLBACK COMMIT END ABORT BEGIN START'.split(
    ' ',
  ),
);

/** False for statements whose loss would lose nothing. */
export function mayWrite(operation: string): boolean {
  return !reading.has(operation);
}

/** Words that open a transaction: in an open one some engines commit it for them, without a word. */
export function opensTransaction(operation: string, text: string): boolean {
  return operation === 'BEGIN' || (operation === 'START' && /\bSTART\s+TRANSACTION\b/i.test(text));
}

/** How a word of the user's own ends a transaction, when it ended by it. */
export function endsTransaction(operation: string): 'committed' | 'rolledBack' | undefined {
  if (operation === 'COMMIT' || operation === 'END') return 'committed';
  return operation === 'ROLLBACK' || operation === 'ABORT' ? 'rolledBack' : undefined;
}

/** What became of the transaction that was open before this statement, and is not behind it. */
export function howItEnded(
  dialect: Dialect,
  statement: CompiledStatement,
  hasFailed: boolean,
): Gone {
  if (commitsImplicitly(dialect, statement)) return 'committed';
  if (hasFailed) return 'rolledBack';
  // A procedure may do either, and doesn't say which.
  return endsTransaction(statement.operation) ?? 'unknown';
}

/** For a statement without an answer: it may have committed the transaction before it was lost. */
export function mayCommit(dialect: Dialect, statement: CompiledStatement): boolean {
  const { operation } = statement;
  return (
    endsTransaction(operation) === 'committed' ||
    commitsImplicitly(dialect, statement) ||
    (operation === 'CALL' && dialect.ddlCommits === true)
  );
}
