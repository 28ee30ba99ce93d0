import {
  AcquireTimeoutError,
  ConnectionError,
  type Deadline,
  isDalError,
  type LeaseReport,
  PoolError,
  type PoolSituation,
} from '@dal/core';

/** What the errors of a pool tell of it. */
export interface PoolScene extends PoolSituation {
  readonly name: string;
  readonly lent: number;
  /** How many sessions there may be now. */
  readonly limit: number;
}

/** Holders that a message lists. */
export const MOST_HOLDERS = 10;
/** Less is what timers are late by anyway. */
const BUSY_MS = 50;

export function closedError(name: string): PoolError {
  return new PoolError(`The database "${name}" is closed; nothing can run on it any more.`, {
    kind: 'usage',
    code: 'DAL_CLOSED',
  });
}

export function queueFullError(scene: PoolScene): PoolError {
  return new PoolError(
    `No connection on "${scene.name}": ${scene.waiting} callers wait already, which is the limit. ${describe(scene)}`,
    { kind: 'overloaded', code: 'DAL_POOL_QUEUE_FULL' },
  );
}

/** Each caller gets an error of its own: attempts are noted in it. */
export function copyOf(error: unknown): unknown {
  if (!isDalError(error) || !(error instanceof ConnectionError)) return error;
  const { message, kind, code, cause, fault } = error;
  return new ConnectionError(message, { kind, code, cause, ...(fault ? { fault } : {}) });
}

/** Everybody who may hold a connection holds one. */
export function acquireTimeoutError(scene: PoolScene, deadline: Deadline): AcquireTimeoutError {
  return new AcquireTimeoutError(
    `No connection within ${lengthOf(deadline)} on "${scene.name}". ${describe(scene)}`,
    {
      kind: 'overloaded',
      code: 'DAL_POOL_TIMEOUT',
      holders: scene.holders,
      waiting: scene.waiting,
      connecting: scene.connecting,
      eventLoopDelayMs: scene.eventLoopDelayMs,
    },
  );
}

/** There was room for more sessions, but the server has let none in. */
export function connectTimeoutError(
  scene: PoolScene,
  deadline: Deadline,
  cause: unknown,
): ConnectionError {
  const { name, connecting, lent, limit } = scene;
  const failed = cause === undefined ? '' : ` The last attempt failed: ${wordsOf(cause)}`;
  return new ConnectionError(
    `No connection within ${lengthOf(deadline)} on "${name}": the server has not let us in yet (${connecting} connecting, ${lent} of ${limit} lent).${busy(scene)}${failed} Check that it is up and reachable.`,
    { kind: 'connection', code: 'DAL_CONNECT_TIMEOUT', cause },
  );
}

function describe(scene: PoolScene): string {
  const { lent, limit, connecting, waiting, holders } = scene;
  const more = lent > holders.length ? `\n  and ${lent - holders.length} more` : '';
  const who = holders.length > 0 ? `\n${holders.map(describeHolder).join('\n')}${more}\n` : ' ';
  return `${lent} of ${limit} lent, ${connecting} connecting, ${waiting} waiting.${busy(scene)}${who}Give connections back sooner, raise pool.max, or see db.pool.leaks().`;
}

function describeHolder(report: LeaseReport): string {
  const { heldMs, idleMs, running, lastStatement, tags, stack } = report;
  const place = stack ? ` by ${stack.split('\n')[0]}` : '';
  const rest = tags
    ? ` [${Object.entries(tags)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(', ')
        .slice(0, 100)}]`
    : '';
  const statement = lastStatement?.replaceAll(/\s+/g, ' ').slice(0, 120) ?? 'none yet';
  const use = running ? `runs since ${idleMs} ms` : `used ${idleMs} ms ago; last statement`;
  return `  held for ${heldMs} ms${place}, ${use}: ${statement}${rest}`;
}

function busy({ eventLoopDelayMs }: PoolScene): string {
  return eventLoopDelayMs >= BUSY_MS
    ? ` The program itself was too busy to notice for ${eventLoopDelayMs} ms: its event loop was blocked.`
    : '';
}

function lengthOf({ timeoutMs }: Deadline): string {
  return `${Math.round(timeoutMs)} ms`;
}

function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return `${words.slice(0, 300).replace(/\.$/, '')}.`;
}
