import {
  abortError,
  CommitOutcomeUnknownError,
  CommitUnconfirmedError,
  ConfigError,
  ConnectionError,
  type DalError,
  type Deadline,
  QueryError,
  TransactionError,
} from '@dal/core';

/** How a transaction came to its end without having been asked to. */
export type Gone = 'committed' | 'rolledBack' | 'unknown';

/** For statements that come after the callback, `commit` or `rollback`, or after the deadline. */
export function endedError(cause: DalError | undefined): TransactionError {
  const why = cause
    ? 'because its time was over or its signal was aborted'
    : 'and its statements must be awaited inside the callback';
  return new TransactionError(`This transaction has ended, ${why}. Nothing was sent.`, {
    kind: 'usage',
    code: 'DAL_TRANSACTION_ENDED',
    ...(cause ? { cause } : {}),
  });
}

const goneWords: Readonly<Record<Gone, string>> = {
  committed: 'committed it for a statement of its own (such as COMMIT, or DDL on MySQL)',
  rolledBack: 'rolled it back (after a deadlock, for example)',
  unknown: 'ended it inside a statement (such as a procedure with COMMIT or ROLLBACK)',
};

/** The server keeps no transaction open any more: what follows would stand alone. */
export function goneError(name: string, how: Gone, cause: DalError | undefined): TransactionError {
  const { kind = 'usage', fault } = cause ?? {};
  return new TransactionError(
    `The transaction on "${name}" is over: the server ${goneWords[how]}. Nothing more was sent.`,
    {
      kind,
      code: 'DAL_TRANSACTION_GONE',
      cause,
      ...(how === 'rolledBack' ? { fault: { ...fault, kind, applied: 'no' } } : {}),
    },
  );
}

/** A statement failed, and COMMIT would keep less than the callback believes. */
export function rolledBackError(name: string, cause: DalError | undefined): TransactionError {
  const kind = cause?.kind ?? 'unknown';
  return new TransactionError(
    `The transaction on "${name}" was rolled back: one of its statements failed before COMMIT, and the server keeps nothing of it.`,
    { kind, code: 'DAL_TRANSACTION_ABORTED', cause, fault: { kind, applied: 'no' } },
  );
}

/** The transaction's own time is over, or its signal was aborted. */
export function tooLateError(
  name: string,
  { timeoutMs, signal }: Deadline,
  cause?: unknown,
): DalError {
  if (signal?.aborted) return abortError(signal, 'The transaction');
  return new TransactionError(
    `The transaction on "${name}" was not finished after ${Math.round(timeoutMs)} ms; it was rolled back, and nothing of it stays.`,
    {
      kind: 'statementTimeout',
      code: 'DAL_TRANSACTION_TIMEOUT',
      cause,
      fault: { kind: 'statementTimeout', applied: 'no' },
    },
  );
}

/**
 * The same failure, seen from the transaction around it: nothing of it stays without a COMMIT.
 *
 * @param doomed there will be none
 */
export function insideTransaction(error: DalError, doomed: boolean): DalError {
  const { code, cause, fault } = error;
  if (fault?.applied !== 'unknown') return error;
  const Kind = error instanceof ConnectionError ? ConnectionError : QueryError;
  const outcome =
    doomed || fault.connectionLost
      ? " The transaction around it can't be committed any more, so nothing of it stays."
      : '';
  return new Kind(error.message + outcome, {
    kind: error.kind,
    code,
    cause,
    fault: { ...fault, applied: 'no' },
  });
}

export function busyError(running: string, refused: string): TransactionError {
  return new TransactionError(
    `This transaction has strictConcurrency, and "${shorten(refused)}" was started while "${shorten(running)}" was under way. Await the one before the other. The second one was not sent.`,
    { kind: 'usage', code: 'DAL_TRANSACTION_BUSY' },
  );
}

/** BEGIN inside a transaction: MySQL would commit what is open, PostgreSQL would ignore it. */
export function nestedBeginError(shown: string): TransactionError {
  return new TransactionError(
    `A transaction is open already, so "${shorten(shown)}" was not sent. Use transaction() for a part that can be undone by itself.`,
    { kind: 'usage', code: 'DAL_TRANSACTION_OPEN' },
  );
}

/** For `commit`, `rollback` and `begin` of a connection while its own callback runs. */
export function notYoursError(what: string): TransactionError {
  return new TransactionError(
    `${what} was called inside the callback of a transaction on this connection, which ends by itself: by a return or a throw. Nothing was sent.`,
    { kind: 'usage', code: 'DAL_TRANSACTION_OPEN' },
  );
}

/** For options of a nested transaction. */
export function openAlreadyError(): TransactionError {
  return new TransactionError(
    'A transaction is open on this connection already, so this one is a part of it (a savepoint) and takes no options; they belong to the outer one. Nothing was sent.',
    { kind: 'usage', code: 'DAL_TRANSACTION_OPEN' },
  );
}

export function retriesError(): ConfigError {
  return new ConfigError(
    'begin() takes no "retries": only a callback can run again. Use transaction(callback, { retries }).',
    { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
  );
}

export function noTransactionError(what: string): TransactionError {
  return new TransactionError(
    `${what} was called, but no transaction is open on this connection. Nothing was sent.`,
    { kind: 'usage', code: 'DAL_NO_TRANSACTION' },
  );
}

export function strictDdlError(name: string, shown: string): TransactionError {
  return new TransactionError(
    `"${name}" would commit the open transaction for "${shorten(shown)}", and strictDdl refuses that; it was not sent. Do it before or after the transaction.`,
    { kind: 'usage', code: 'DAL_STRICT_DDL' },
  );
}

export function unknownOutcome(name: string, tried: string, cause: DalError): DalError {
  return new CommitOutcomeUnknownError(
    `The answer to COMMIT did not arrive from "${name}": the transaction may or may not be in the database. ${tried} Look before doing it again.`,
    {
      kind: 'connection',
      code: 'DAL_COMMIT_OUTCOME_UNKNOWN',
      cause,
      fault: { kind: 'connection', ...cause.fault, applied: 'unknown' },
    },
  );
}

/** The answer to COMMIT was lost, and the server said afterwards that it had not happened. */
export function foundRolledBack(name: string, cause: DalError): DalError {
  return new TransactionError(
    `The answer to COMMIT did not arrive from "${name}". The server was asked: it rolled the transaction back, and nothing of it stays.`,
    {
      kind: 'connection',
      code: 'DAL_COMMIT_ROLLED_BACK',
      cause,
      fault: { kind: 'connection', applied: 'no' },
    },
  );
}

export function unconfirmedError(name: string): DalError {
  return new CommitUnconfirmedError(
    `The transaction is committed on "${name}", but the replicas that were to confirm it have not: it is lost when this server is lost now. Don't run it again.`,
    {
      kind: 'unconfirmed',
      code: 'DAL_COMMIT_UNCONFIRMED',
      fault: { kind: 'unconfirmed', applied: 'unknown' },
    },
  );
}

function shorten(statement: string): string {
  return statement.replaceAll(/\s+/g, ' ').trim().slice(0, 120);
}
