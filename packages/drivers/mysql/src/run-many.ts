import { type NativeResult, type NativeStatement, QueryError } from '@dal/core';
import type { SessionStatements } from './session-statements.ts';

/**
 * One statement for many rows of values: prepared once, and each execution leaves as soon as the one
 * before it is answered. The error says in `rowIndex` which row it was.
 */
export function runMany(
  statements: SessionStatements,
  statement: Omit<NativeStatement, 'values'>,
  rows: readonly (readonly unknown[])[],
  onStop: (stop: (error: Error) => void) => void,
): Promise<NativeResult> {
  let stopped: Error | undefined;
  onStop((error) => (stopped = error));
  return new Promise((resolve, reject) => {
    statements.withPrepared(statement, (error, prepared, done) => {
      if (prepared === undefined) return reject(error);
      let affectedRows = 0;
      let rowIndex = 0;
      const fail = (failure: Error): void => {
        done(failure);
        reject(Object.assign(failure, { rowIndex }));
      };
      const next = (): void => {
        if (stopped) return fail(stopped);
        if (rowIndex === rows.length) {
          done(null);
          return resolve({ rows: [], columns: [], affectedRows });
        }
        try {
          const values = rows[rowIndex] as readonly unknown[];
          const packet = statements.packetOf(statement, values);
          statements.execute(statement, prepared, packet, (failure, executed) => {
            if (failure) return fail(failure);
            affectedRows += executed?.ok?.affectedRows ?? 0;
            rowIndex++;
            next();
          });
        } catch (problem) {
          fail(problem as Error);
        }
      };
      next();
    });
  });
}

/** For work that was told to stop between two of its statements. */
export function stoppedError(): Error {
  return new QueryError('The work was stopped; the statements that were left were not sent.', {
    code: 'DAL_STOPPED',
    fault: { kind: 'cancelled', applied: 'no', transaction: 'open' },
  });
}
