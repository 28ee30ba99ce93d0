import { constants } from 'node:os';
import { type CloseOptions, type CloseReport, ConfigError, durationMs, within } from '@dal/core';

export interface ShutdownOptions {
  /** What to close, such as a database or a manager of several. A function is asked at the signal. */
  readonly databases: readonly Closable[] | (() => readonly Closable[]);
  /** What ends the program. Default: `SIGTERM` and `SIGINT`. */
  readonly signals?: readonly NodeJS.Signals[];
  /** For `before` and for closing the databases, together. Milliseconds or `"10s"`. Default: 5 s. */
  readonly timeoutMs?: number | string;
  /** Called first, such as to take no more requests and wait for those that run. */
  readonly before?: () => unknown;
}

/** A database, or whatever ends several. */
export interface Closable {
  readonly name?: string;
  close(options: CloseOptions): Promise<unknown>;
}

/**
 * Ends the program in order when it is asked to: work that is under way may finish, then the databases
 * are closed and the process exits with 0. What is not done in time is rolled back, never committed.
 * A second signal exits at once. Nothing listens for signals unless this was called.
 *
 * @returns what takes the listeners away again
 * @throws ConfigError when there is no such signal
 * @example
 * installShutdown({ databases: [db], before: () => server.close() })
 */
export function installShutdown(options: ShutdownOptions): () => void {
  const { signals = ['SIGTERM', 'SIGINT'], timeoutMs = 5_000 } = options;
  const limitMs = durationMs(timeoutMs, 'timeoutMs');
  for (const signal of signals) checkSignal(signal);
  let asked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    // Whoever asks twice has no patience left.
    if (asked) process.exit(128 + constants.signals[signal]);
    asked = true;
    // Warnings are written in the next turn.
    void shutDown(options, limitMs).then((code) => setImmediate(() => process.exit(code)));
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

/** What `before` may take of the time at the most; the rest is for the databases. */
const BEFORE_SHARE = 0.75;

/** @returns the exit code: 0, or 1 when something could not be closed */
async function shutDown(options: ShutdownOptions, limitMs: number): Promise<number> {
  const { databases, before } = options;
  const endsAt = performance.now() + limitMs;
  let code = 0;
  if (before) {
    const outcome = await within(limitMs * BEFORE_SHARE, Promise.resolve().then(before));
    if (outcome !== 'done') warn(`The work before the shutdown ${ends[outcome]}.`);
  }
  const all = typeof databases === 'function' ? databases() : databases;
  const left = Math.max(0, endsAt - performance.now());
  await Promise.all(
    all.map(async (database) => {
      const name = database.name ?? 'a database';
      try {
        const report = await database.close({ timeoutMs: left });
        if (isReport(report)) tell(name, report);
      } catch (error) {
        code = 1;
        warn(`Closing "${name}" failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
  return code;
}

const ends = { late: 'did not end in time', failed: 'failed' };

/** Who held a connection until the end is named, or nobody would look for it. */
function tell(name: string, { heldOn }: CloseReport): void {
  for (const { heldMs, lastStatement, stack } of heldOn.slice(0, 10)) {
    const place = stack ? ` at ${stack.split('\n')[0]}` : '';
    warn(
      `At the shutdown a connection of "${name}" was still lent after ${heldMs} ms, acquired${place}; what was open on it is rolled back. Last statement: ${lastStatement ?? 'none'}.`,
    );
  }
}

function warn(message: string): void {
  process.emitWarning(message, { code: 'DAL_SHUTDOWN' });
}

function isReport(report: unknown): report is CloseReport {
  return typeof report === 'object' && report !== null && 'heldOn' in report;
}

function checkSignal(signal: NodeJS.Signals): void {
  if (Object.hasOwn(constants.signals, signal) && signal !== 'SIGKILL' && signal !== 'SIGSTOP')
    return;
  throw new ConfigError(
    `signals must be names of signals that a program can listen for, such as SIGTERM, but "${signal.slice(0, 20)}" is none.`,
    { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
  );
}
