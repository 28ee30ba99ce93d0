import { isDalError } from '@dal/core';
import { faultOf } from './fault-of.ts';

/** `neutral`: says nothing about whether the other side works. */
export type CallOutcome = 'success' | 'failure' | 'neutral';

/** The server is not there, takes nobody, or did not answer in time. */
const failures = new Set(['connection', 'notReady', 'overloaded', 'statementTimeout']);

/** The call was given up or refused on this side, or nobody knows what it was. */
const neutral = new Set([
  'cancelled',
  'usage',
  'circuitOpen',
  'authentication',
  'resource',
  'unknown',
]);

/** What an error says about the server: a refused row is a sign of life, a lost line is not. */
export function callOutcome(error: unknown): CallOutcome {
  const fault = faultOf(error);
  if (fault === undefined) return 'neutral';
  if (failures.has(fault.kind) || fault.connectionLost) return 'failure';
  const answered = isDalError(error) && error.fault !== undefined && !neutral.has(fault.kind);
  return answered ? 'success' : 'neutral';
}
