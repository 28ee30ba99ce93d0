import { type Fault, isDalError } from '@dal/core';

/** How far a chain of causes is followed. */
const DEPTH = 5;

/** The system's words for a line that never came up: nothing was sent. */
const neverConnected = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** The system's words for a line that broke. */
const broken = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

/**
 * What is known of any error: the verdict of the driver for an error of the layer, the system's own
 * words for others, also when they are the cause of an error. Undefined when nothing is known.
 */
export function faultOf(error: unknown): Fault | undefined {
  let one = error;
  for (let depth = 0; depth < DEPTH && typeof one === 'object' && one !== null; depth++) {
    if (isDalError(one)) return one.fault ?? { kind: one.kind, applied: 'unknown' };
    const fault = ofTheSystem(one);
    if (fault !== undefined) return fault;
    one = (one as { cause?: unknown }).cause;
  }
  return undefined;
}

function ofTheSystem(error: object): Fault | undefined {
  const { code, syscall, name } = error as Record<'code' | 'syscall' | 'name', unknown>;
  if (name === 'AbortError') return { kind: 'cancelled', applied: 'unknown' };
  if (name === 'TimeoutError') return { kind: 'statementTimeout', applied: 'unknown' };
  if (typeof code !== 'string') return undefined;
  if (neverConnected.has(code) || (broken.has(code) && syscall === 'connect')) {
    return { kind: 'connection', applied: 'no', code };
  }
  return broken.has(code)
    ? { kind: 'connection', connectionLost: true, applied: 'unknown', code }
    : undefined;
}
