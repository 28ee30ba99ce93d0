/**
 * Stands in front of every attempt to open a session: it can hold attempts back while a server is
 * down, and let them through one by one when it returns.
 */
export interface Admission {
  /** The server does not answer, as far as is known. */
  readonly away: boolean;
  /**
   * An attempt of which nothing is heard for so long is told as `failed` already, with `heard` when it
   * ends after all. `Infinity`: it may take as long as it takes.
   */
  readonly patienceMs: number;
  /**
   * Asked before each attempt. False: not now, and `again` of the owner is called as soon as it is
   * worth asking again.
   */
  admit(): boolean;
  /** An attempt that was let through has opened a session. */
  opened(): void;
  /** An attempt that was let through has failed. */
  failed(error: unknown): Refusal;
  /** An attempt was told as failed because it was silent. It has an end now, which is told next. */
  heard(): void;
  /** An attempt that was let through was given up, which says nothing about the server. */
  givenUp(): void;
  /** A session that was open for `ageMs` has ended by itself. */
  lost(ageMs: number, error: Error): void;
  /** Called once, before the first attempt. */
  start(owner: AdmissionOwner): void;
  /** The pool closes: no timer may be left. */
  stop(): void;
}

/** Who gets the error: the one who has waited longest, all who wait, or nobody, and all wait on. */
export type Refusal = 'tell' | 'tellAll' | 'hold';

export interface AdmissionOwner {
  /** It is worth while to ask again. */
  again(): void;
  /** Sessions that rest may be dead without having been noticed: they need a new proof of life. */
  doubt(): void;
}

/** Holds nothing back. */
export const ADMIT_ALL: Admission = {
  away: false,
  patienceMs: Infinity,
  admit: () => true,
  opened: nothing,
  failed: () => 'tell',
  heard: nothing,
  givenUp: nothing,
  lost: nothing,
  start: nothing,
  stop: nothing,
};

function nothing(): void {
  // There is nothing to remember.
}
