import type { Hooks } from './hooks.ts';

/** Writes every statement with its time, never its values. */
export function echo(hooks: Hooks, write: (line: string) => void): void {
  hooks.on('query:after', ({ database, statement, durationMs, rowCount, affectedRows }) => {
    const outcome = rowCount > 0 ? `${rowCount} rows` : `${affectedRows} affected`;
    write(`[${database}] ${durationMs.toFixed(1)} ms, ${outcome}: ${statement}`);
  });
  hooks.on('query:error', ({ database, statement, durationMs, error }) => {
    write(`[${database}] ${durationMs.toFixed(1)} ms, ${error.code}: ${statement}`);
  });
}
