/**
 * What a driver says about an error: what happened, is the line dead, did the server surely do
 * nothing. Whether to retry, evict or give up is decided elsewhere.
 */
export interface Fault {
  /** What happened, in the word that is the same on every engine. */
  readonly kind: FaultKind;
  /** The session is gone; nothing can be sent on this connection any more. Default: false. */
  readonly connectionLost?: boolean;
  /**
   * `no`: the statement had no lasting effect (never sent, refused, or rolled back by the server).
   * `unknown`: it left, and no final answer came. With `no` a statement may be sent again, a write too, so
   * say it only when it is sure. Default: `no` for an answer from the server.
   */
  readonly applied?: 'no' | 'unknown';
  /**
   * What became of the transaction the statement ran in, as far as the error alone tells. `aborted`: only a
   * rollback helps, whatever the engine answers to COMMIT. `gone`: the server has ended it. Default: what
   * `DriverConnection.status` says; without that it is open.
   */
  readonly transaction?: 'open' | 'aborted' | 'gone';
  /** The vendor's own code: SQLSTATE, errno, SQLite's extended name, `ECONNRESET`. */
  readonly code?: string;
  /** Names, never values; they stand in the message. Default of each: not known. */
  readonly constraint?: string;
  readonly table?: string;
  readonly column?: string;
  /** A sentence that helps a person, when the driver knows more than the error's own words. */
  readonly hint?: string;
}

/** The kinds every driver shares. Open on purpose: a driver may return words of its own. */
export type FaultKind = KnownFaultKind | (string & {});

export type KnownFaultKind =
  | 'unique'
  | 'foreignKey'
  | 'notNull'
  | 'check'
  | 'syntax'
  | 'schema'
  | 'data'
  | 'permission'
  | 'deadlock'
  | 'serialization'
  | 'lockTimeout'
  | 'statementTimeout'
  | 'cancelled'
  | 'authentication'
  | 'connection'
  | 'overloaded'
  | 'notReady'
  | 'readOnly'
  | 'resource'
  | 'stalePlan'
  | 'usage'
  | 'unknown';
