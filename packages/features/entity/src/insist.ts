import { isDalError, type StatementOptions } from '@dal/core';
import type { CallLimits, Scene } from './scene.ts';
import { execute, transaction, type Work } from './work.ts';

/**
 * Runs a statement that others may be running too. When it fails because of that, it is tried again,
 * unless what it was for is there by then.
 */
export function* insist(
  scene: Scene,
  text: string,
  limits: CallLimits,
  values: readonly unknown[] = [],
  isDone?: () => Work<boolean>,
): Work<void> {
  const options: StatementOptions = { ...limits.statement };
  for (let attempt = 1; ; attempt++) {
    try {
      const run = (): Work<unknown> => execute({ text, values }, options);
      // A failure must not end the caller's transaction.
      yield* scene.inTransaction() ? transaction(run) : run();
      return;
    } catch (error) {
      const kind = isDalError(error) ? error.kind : '';
      // A row of the table of fields, or of the catalog of tables (PostgreSQL).
      if (kind === 'unique' && values.length > 0) return;
      if (kind === 'schema' && isDone && (yield* isDone())) return;
      if (attempt >= (passing.get(kind) ?? 0)) throw error;
      yield { do: 'pause', ms: Math.random() * 20 * attempt };
    }
  }
}

/** How often a statement is tried while other processes make the same tables. */
const passing: ReadonlyMap<string, number> = new Map([
  ['unique', 20],
  ['deadlock', 20],
  ['serialization', 20],
  ['stalePlan', 20],
  ['schema', 3],
]);
