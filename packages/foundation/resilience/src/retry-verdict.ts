import type { Fault } from '@dal/core';

export interface AttemptFacts {
  /** The statement runs by itself, or is the first one of its transaction. */
  readonly autocommit: boolean;
  /** The caller said that running twice does no harm. */
  readonly idempotent: boolean;
  /** The next attempt goes to another server when this one is not the primary any more. */
  readonly seeksPrimary?: boolean;
}

/**
 * May the statement run again? Goes by what reached the server, not by hope: only what surely had
 * no effect is repeated, or what the caller declared idempotent.
 */
export function retryVerdict(fault: Fault, facts: AttemptFacts): boolean {
  if (!facts.autocommit) return false;
  switch (fault.kind) {
    // The server undid the statement and says that another try may pass.
    case 'serialization':
    case 'deadlock':
    case 'stalePlan':
      return fault.applied !== 'unknown';
    // A standby has refused the write, and did nothing; the primary may take it.
    case 'readOnly':
      return facts.seeksPrimary === true && fault.applied !== 'unknown';
    case 'connection':
    case 'notReady':
    case 'overloaded':
      return fault.applied === 'no' || facts.idempotent;
    default:
      return fault.connectionLost === true && (fault.applied === 'no' || facts.idempotent);
  }
}

/** May the whole transaction run again? Only when the server undid all of it, or nothing was sent. */
export function transactionVerdict(fault: Fault, seeksPrimary: boolean = false): boolean {
  if (fault.applied === 'unknown') return false;
  return (
    fault.kind === 'serialization' ||
    fault.kind === 'deadlock' ||
    (fault.kind === 'readOnly' && seeksPrimary) ||
    // The tables changed under a prepared statement, which is prepared anew the next time.
    fault.kind === 'stalePlan' ||
    ((fault.kind === 'connection' || fault.kind === 'notReady' || fault.kind === 'overloaded') &&
      fault.applied === 'no')
  );
}
