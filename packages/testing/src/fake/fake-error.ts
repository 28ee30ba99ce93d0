import type { Fault } from '@dal/core';

/** An error that says itself how `classify` is to judge it. */
export class FakeError extends Error {
  override readonly name: string = 'FakeError';
  readonly fault: Fault;

  constructor(message: string, fault: Fault) {
    super(message);
    this.fault = fault;
  }
}

/** What the statements of a session meet that is gone. */
export function sessionGone(applied: 'no' | 'unknown'): FakeError {
  return new FakeError('the session is gone', {
    kind: 'connection',
    connectionLost: true,
    applied,
  });
}
