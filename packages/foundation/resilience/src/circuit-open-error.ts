import { CircuitOpenError } from '@dal/core';
import { faultOf } from './fault-of.ts';

export interface OpenCircuit {
  readonly name: string;
  readonly isHalfOpen: boolean;
  readonly failureThreshold: number;
  readonly windowMs: number;
  readonly halfOpenMaxCalls: number;
  /** Since it was closed last. */
  readonly agoMs: number;
  readonly retryAfterMs: number;
  readonly lastFailure: unknown;
}

/** The error for a call that is not let through; its cause is the last failure. */
export function circuitOpenError(circuit: OpenCircuit): CircuitOpenError {
  const { name, agoMs, retryAfterMs, lastFailure } = circuit;
  const state = circuit.isHalfOpen
    ? `half open, and ${circuit.halfOpenMaxCalls} calls on trial are under way`
    : 'open';
  const kind = faultOf(lastFailure)?.kind;
  const last = kind === undefined ? '' : `, the last of kind ${kind}`;
  const since = new Date(Date.now() - agoMs).toISOString();
  return new CircuitOpenError(
    `The circuit breaker "${name}" is ${state}: ${circuit.failureThreshold} failures within ${words(circuit.windowMs)} opened it at ${since}, ${words(agoMs)} ago${last}. The next call is let through in ${words(retryAfterMs)}.`,
    { kind: 'circuitOpen', code: 'DAL_CIRCUIT_OPEN', cause: lastFailure, retryAfterMs },
  );
}

function words(ms: number): string {
  return ms < 1_000 ? `${Math.ceil(ms)} ms` : `${Math.ceil(ms / 100) / 10} s`;
}
