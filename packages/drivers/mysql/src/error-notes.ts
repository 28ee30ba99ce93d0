import type { Flavor } from './flavor.ts';

/** What a connection knows about an error that it hands out, and the error does not say itself. */
export interface ErrorNote {
  readonly flavor?: Flavor | undefined;
  /** `connect`: the session was not open yet, so no statement can have run. */
  readonly phase: 'connect' | 'session';
}

// On the side, since the errors are the library's own (and may be frozen).
const notes = new WeakMap<object, ErrorNote>();

/** Remembers the note; the first one stays, since it was nearest to the event. */
export function noteError<E>(error: E, note: ErrorNote): E {
  if (typeof error === 'object' && error !== null && !notes.has(error)) notes.set(error, note);
  return error;
}

export function noteOf(error: object): ErrorNote | undefined {
  return notes.get(error);
}
