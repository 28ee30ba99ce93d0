import {
  type Dialect,
  type Driver,
  type DriverConnection,
  type SessionStatus,
  within,
} from '@dal/core';
import { giveTurn } from './turns.ts';

/** One connection to the server for the time of its life, lent many times. */
export interface Session<Raw = unknown> {
  readonly connection: DriverConnection<Raw>;
  /** On the clock of `performance.now()`, as are all moments here. */
  readonly openedAt: number;
  readonly expiresAt: number;
  idleSince: number;
  /** The last sign of life from the server. */
  provenAt: number;
  /** Why the session can't be used any more, once it can't. */
  lost: Error | undefined;
  /** Something was changed that the next user must not see. */
  dirty: boolean;
  /** Followed from the layer's own calls, for drivers whose protocol doesn't tell. */
  followed: SessionStatus;
  /** The server's own limit for statements, as last set here; undefined when that isn't known. */
  limitMs: number | undefined;
  /** Set while a stopped statement is being settled; nothing may be sent before. */
  settling: Promise<void> | undefined;
  /** Somebody has the turn: a statement is on the wire. */
  busy: boolean;
  /** Though: the reader of a stream has its turn, but wants nothing from the server now. */
  away: boolean;
  /** Those who want to send the next statement, in order. */
  readonly turns: (() => void)[];
  /** Whom to tell when the session has ended by itself, see {@link noticeLoss}. */
  onLost(session: Session<Raw>): void;
}

/** Opens a session. Its end is noticed from the first moment, whether somebody uses it or not. */
export async function openSession<Options, Raw>(
  driver: Driver<Options, Raw>,
  options: Options,
  maxLifetimeMs: number,
  onLost: (session: Session<Raw>) => void,
  signal?: AbortSignal,
): Promise<Session<Raw>> {
  let session: Session<Raw> | undefined;
  let lostEarly: Error | undefined;
  const noticed = (error: unknown): void => {
    const reason =
      error instanceof Error ? error : new Error('The session ended.', { cause: error });
    if (session === undefined) lostEarly = reason;
    else noticeLoss(session, reason);
  };
  const connection = await driver.connect(options, noticed, signal);
  const now = performance.now();
  session = {
    connection,
    openedAt: now,
    expiresAt: now + maxLifetimeMs * (1 - Math.random() * 0.1),
    idleSince: now,
    provenAt: now,
    lost: lostEarly,
    dirty: false,
    followed: 'idle',
    limitMs: undefined,
    settling: undefined,
    busy: false,
    away: false,
    turns: [],
    onLost,
  };
  return session;
}

/**
 * The session has ended without having been asked to. Told once, whether the driver noticed it or a
 * statement met it first.
 */
export function noticeLoss<Raw>(session: Session<Raw>, reason: Error): void {
  if (session.lost !== undefined) return;
  session.lost = reason;
  // Until it is read, V8 keeps what the frames were called on, and with it the handle of a borrower.
  void reason.stack;
  session.onLost(session);
}

/** Something is awaited from the server. */
export function isRunning({ busy, away }: Session): boolean {
  return busy && !away;
}

/** What is known of the session's transaction: from the protocol where it tells. */
export function statusOf(session: Session): SessionStatus {
  return session.connection.status ? session.connection.status() : session.followed;
}

/** A sign of life from the server: the driver's own way, or the dialect's statement. */
export async function pingConnection(
  connection: DriverConnection,
  dialect: Dialect,
): Promise<void> {
  if (connection.ping) await connection.ping();
  else await connection.query({ text: dialect.ping, values: [] });
}

/** Ends a session without waiting for the server. */
export function destroySession(session: Session): void {
  session.lost ??= new Error('The session was ended by the layer.');
  try {
    if (session.connection.destroy) session.connection.destroy();
    else session.connection.close().catch(() => undefined);
  } catch {
    // The session is given up; how it protests is of no interest.
  }
}

/** Lets what runs in a session end, unless `atOnce`, and destroys it before anything else is sent. */
export function retireSession(session: Session, reason: Error, atOnce: boolean): void {
  const end = (): void => {
    if (session.lost === undefined) noticeLoss(session, reason);
    destroySession(session);
  };
  // One whose statement was given up already is not waited for.
  if (atOnce || !session.busy || session.settling) end();
  else {
    // Before all others that wait for their turn; they then find the session lost.
    session.turns.unshift(() => {
      end();
      giveTurn(session);
    });
  }
}

/** Longest wait for a polite goodbye before the line is cut. */
const CLOSE_GRACE_MS = 2_000;

/**
 * Ends a session politely; cuts the line when the server doesn't answer in time. Never rejects.
 *
 * @returns false when the line was cut
 */
export async function closeSession(
  session: Session,
  graceMs: number = CLOSE_GRACE_MS,
): Promise<boolean> {
  if (session.lost === undefined) {
    session.lost = new Error('The session was closed by the layer.');
    if ((await within(graceMs, sayGoodbye(session))) === 'done') return true;
  }
  destroySession(session);
  return false;
}

// A driver that throws instead of rejecting must not leave the pool waiting.
async function sayGoodbye({ connection }: Session): Promise<void> {
  await connection.close();
}
