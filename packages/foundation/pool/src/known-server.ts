import { type DriverConnection, onAbort, within } from '@dal/core';
import type { Gate } from './gate.ts';

/** One of several servers, and what is known of it. */
export interface KnownServer<Options> {
  readonly name: string;
  readonly options: Options;
  readonly gate: Gate;
  /** It was the primary, and another one was after it. */
  dethroned: boolean;
  /** What it is instead of what is wanted. */
  unfit: string | undefined;
  unfitSince: number;
  /** Attempts that nobody waits for any more, because the server is slow to answer. */
  forgotten: number;
  /** How long it took to open a session the last time. */
  connectMs: number;
}

/** A session that was opened, with the way to tell its end to whoever gets it. */
export interface Found<Raw> {
  readonly connection: DriverConnection<Raw>;
  handOver(lost: (error: unknown) => void): DriverConnection<Raw>;
}

/** The same for all pools of a process that connect there. */
export function gateName({ name }: { readonly name: string }, server: string): string {
  return `${name}|${server}`;
}

/** Why it is not even tried now. */
export function whyNot({ unfit, gate, forgotten }: KnownServer<unknown>): string {
  if (forgotten > 0) return 'has not answered yet';
  const { message } = (gate.outage?.error ?? {}) as { message?: unknown };
  return typeof message === 'string' && message ? `failed: ${message}` : (unfit ?? 'failed');
}

const CLOSE_TIMEOUT_MS = 2_000;

/** Ends a session that nobody gets; without a word to the server once the signal is aborted. */
export async function bidFarewell(
  connection: DriverConnection,
  signal?: AbortSignal,
): Promise<void> {
  const hurried = Promise.withResolvers<void>();
  const stopListening = onAbort(signal, () => hurried.reject(signal?.reason));
  const closed = Promise.race([connection.close(), hurried.promise]);
  if ((await within(CLOSE_TIMEOUT_MS, closed)) !== 'done') discard(connection);
  stopListening();
}

/** The same without a word to the server. */
export function discard(connection: DriverConnection): void {
  try {
    if (connection.destroy) connection.destroy();
    else connection.close().catch(() => undefined);
  } catch {
    // It is given up.
  }
}
