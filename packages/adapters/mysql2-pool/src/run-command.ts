import { type Connection, type Database, libraryError, type StatementOptions } from '@dal/core';
import type { Command, LibrarySettings } from './mysql2-library.ts';

type On = Pick<Database & Connection, 'execute' | 'stream'>;

/** `query` writes the values into the text; `execute` sends them to the prepared statement. */
export type Protocol = 'text' | 'binary';

/** Runs a command as mysql2's connection would: with a callback all at once, without row by row. */
export function runCommand(
  on: On | Promise<On>,
  command: Command,
  protocol: Protocol,
  settings: LibrarySettings,
): void {
  // Listeners are added to what the call returns.
  if (command.onResult) void answerCommand(on, command, protocol, settings);
  else setImmediate(() => void pourCommand(on, command, protocol, settings));
}

async function answerCommand(
  on: On | Promise<On>,
  command: Command,
  protocol: Protocol,
  settings: LibrarySettings,
): Promise<void> {
  let answer: readonly unknown[];
  try {
    const { sql, values } = command;
    const { library } = await (
      await on
    ).execute(sql, listOf(values), optionsOf(command, protocol, settings));
    const [rows, fields] = library as [unknown, unknown];
    answer = fields === undefined ? [null, rows] : [null, rows, fields];
  } catch (error) {
    answer = [libraryError(error)];
  }
  process.nextTick(() => {
    try {
      command.onResult?.(...(answer as [unknown]));
    } finally {
      command.emit('end');
    }
  });
}

/** Rows as events, held back while whoever reads them wants that. */
async function pourCommand(
  on: On | Promise<On>,
  command: Command,
  protocol: Protocol,
  settings: LibrarySettings,
): Promise<void> {
  const gate = new Gate();
  command._connection = gate;
  try {
    const options = optionsOf(command, protocol, settings);
    const stream = (await on).stream(command.sql, listOf(command.values), options);
    for await (const row of stream.rows()) {
      if (gate.closed) await gate.opened();
      // A reader that has left takes its listener along.
      if (command.listenerCount('result') === 0) break;
      command.emit('result', row, 0);
    }
  } catch (error) {
    command.emit('error', libraryError(error));
  }
  command.emit('end');
}

class Gate {
  closed = false;
  #open: (() => void) | undefined;

  pause(): void {
    this.closed = true;
  }

  resume(): void {
    this.closed = false;
    this.#open?.();
  }

  opened(): Promise<void> {
    return new Promise((resolve) => {
      this.#open = resolve;
    });
  }
}

/** As mysql2 takes them: none, one, or a list. */
function listOf(values: unknown): readonly unknown[] {
  if (values === undefined) return [];
  return Array.isArray(values) ? (values as unknown[]) : [values];
}

function optionsOf(
  command: Command,
  protocol: Protocol,
  settings: LibrarySettings,
): StatementOptions {
  const { sql: _, values: _values, signal, timeout, ...own } = command._queryOptions;
  const libraryOptions = {
    ...settings,
    ...own,
    ...(protocol === 'text' ? { queryMode: 'text' } : {}),
  };
  return {
    mapping: 'library',
    placeholders: 'native',
    libraryOptions,
    ...((own['rowsAsArray'] ?? settings.rowsAsArray) ? { rowMode: 'array' } : {}),
    ...(typeof timeout === 'number' && timeout > 0 ? { timeoutMs: timeout } : {}),
    ...(signal instanceof AbortSignal ? { signal } : {}),
  };
}
