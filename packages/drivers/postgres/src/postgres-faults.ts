import { type Fault, type FaultKind, isDalError, isNeverWritten } from '@dal/core';

type Verdict = Omit<Fault, 'code' | 'constraint' | 'table' | 'column'>;

/**
 * SQLSTATE, from the manual's "PostgreSQL Error Codes". An answer with severity ERROR means that the
 * statement had no effect, so `applied` is written down only where that is not so.
 */
const bySqlState: Readonly<Record<string, Verdict>> = {
  '08000': { kind: 'connection' },
  '08001': { kind: 'connection' },
  '08003': { kind: 'connection' },
  '08004': { kind: 'connection', applied: 'no' },
  // As ERROR it comes from a foreign server: at COMMIT another shard may have its half.
  '08006': { kind: 'connection', applied: 'unknown' },
  '08007': { kind: 'connection', applied: 'unknown' },
  '0A000': { kind: 'usage' },
  '21000': { kind: 'data' },
  '23000': { kind: 'check' },
  '23001': { kind: 'foreignKey' },
  '23502': { kind: 'notNull' },
  '23503': { kind: 'foreignKey' },
  '23505': { kind: 'unique' },
  '23514': { kind: 'check' },
  '23P01': { kind: 'exclusion' },
  '25006': {
    kind: 'readOnly',
    hint: 'The transaction is read-only, or this server is a standby: name all servers in host, with targetSessionAttrs "read-write".',
  },
  '25P02': {
    kind: 'usage',
    transaction: 'aborted',
    hint: 'An earlier statement of this transaction failed; only ROLLBACK or a savepoint helps.',
  },
  '25P03': {
    kind: 'connection',
    connectionLost: true,
    applied: 'no',
    transaction: 'gone',
    hint: 'The transaction was idle for longer than idle_in_transaction_session_timeout.',
  },
  '25P04': {
    kind: 'statementTimeout',
    connectionLost: true,
    applied: 'no',
    transaction: 'gone',
    hint: 'The transaction ran longer than transaction_timeout.',
  },
  '26000': { kind: 'stalePlan', hint: 'Behind a pooler, use the option pooler: "transaction".' },
  '28000': { kind: 'authentication', applied: 'no' },
  '28P01': { kind: 'authentication', applied: 'no' },
  '2BP01': { kind: 'schema' },
  '3D000': { kind: 'schema', applied: 'no' },
  '3F000': { kind: 'schema' },
  '40000': { kind: 'serialization' },
  '40001': { kind: 'serialization', applied: 'no' },
  '40002': { kind: 'check' },
  '40003': { kind: 'unknown', applied: 'unknown' },
  '40P01': { kind: 'deadlock', applied: 'no' },
  '42501': { kind: 'permission' },
  '42701': { kind: 'schema' },
  '42703': { kind: 'schema' },
  '42704': { kind: 'schema' },
  '42710': { kind: 'schema' },
  '42723': { kind: 'schema' },
  '42883': { kind: 'schema' },
  '42P01': { kind: 'schema' },
  '42P02': { kind: 'schema' },
  '42P03': { kind: 'usage' },
  '42P04': { kind: 'schema' },
  '42P05': { kind: 'stalePlan', hint: 'Behind a pooler, use the option pooler: "transaction".' },
  '42P06': { kind: 'schema' },
  '42P07': { kind: 'schema' },
  '44000': { kind: 'check' },
  '53300': { kind: 'overloaded', applied: 'no' },
  '55P03': { kind: 'lockTimeout' },
  '57014': { kind: 'cancelled' },
  '57P01': { kind: 'connection', connectionLost: true, applied: 'unknown' },
  '57P02': { kind: 'connection', connectionLost: true, applied: 'unknown' },
  '57P03': { kind: 'notReady', connectionLost: true, applied: 'no' },
  '57P04': { kind: 'schema', connectionLost: true, applied: 'unknown' },
  '57P05': {
    kind: 'connection',
    connectionLost: true,
    applied: 'no',
    hint: 'The session was idle for longer than idle_session_timeout.',
  },
  '58030': { kind: 'resource' },
};

/** The first two characters, when the code itself isn't above. */
const byClass: Readonly<Record<string, FaultKind>> = {
  '03': 'usage',
  '08': 'connection',
  '09': 'unknown',
  '0A': 'usage',
  '0B': 'usage',
  '21': 'data',
  '22': 'data',
  '23': 'check',
  '24': 'usage',
  '25': 'usage',
  '28': 'authentication',
  '2B': 'schema',
  '2D': 'usage',
  '34': 'usage',
  '3B': 'usage',
  '40': 'serialization',
  '42': 'syntax',
  '53': 'resource',
  '54': 'usage',
  '55': 'usage',
  '58': 'resource',
};

const neverSent: Verdict = { kind: 'connection', connectionLost: true, applied: 'no' };
const cutOff: Verdict = { kind: 'connection', connectionLost: true, applied: 'unknown' };
const untrusted: Verdict = {
  kind: 'authentication',
  connectionLost: true,
  applied: 'no',
  hint: 'TLS could not be set up: check the certificates, tls.ca, and that the host is the name in the certificate.',
};

/** Codes of Node and of the operating system. */
const byNodeCode: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: {
    ...neverSent,
    hint: 'Nobody listens there: is the server up, and the port right?',
  },
  ENOTFOUND: { ...neverSent, hint: 'The host name is not known.' },
  EAI_AGAIN: neverSent,
  EAI_FAIL: neverSent,
  EHOSTUNREACH: neverSent,
  ENETUNREACH: neverSent,
  EHOSTDOWN: neverSent,
  EADDRNOTAVAIL: neverSent,
  ENOENT: { ...neverSent, hint: "There is no such socket: is the host the socket's folder?" },
  EACCES: neverSent,
  EMFILE: neverSent,
  ENFILE: neverSent,
  ECONNRESET: cutOff,
  ECONNABORTED: cutOff,
  EPIPE: cutOff,
  ETIMEDOUT: cutOff,
  ENOTCONN: cutOff,
  ERR_STREAM_DESTROYED: cutOff,
  ERR_STREAM_WRITE_AFTER_END: cutOff,
  ERR_SOCKET_CLOSED: cutOff,
  CERT_HAS_EXPIRED: untrusted,
  CERT_NOT_YET_VALID: untrusted,
  CERT_REVOKED: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  HOSTNAME_MISMATCH: untrusted,
  EPROTO: untrusted,
};

/** Words of `pg` for errors that have no code (pg 8.23). */
const byWords: readonly (readonly [RegExp, Verdict])[] = [
  [/^Connection terminated due to connection timeout/, neverSent],
  [/^timeout e(xpired|xceeded when trying to connect)/, neverSent],
  [/^Connection terminated( unexpectedly)?$/, cutOff],
  [/^Client has encountered a connection error and is not queryable/, neverSent],
  [/^Client was closed and is not queryable/, neverSent],
  [/^Query read timeout/, cutOff],
  [/^The server does not support SSL connections/, untrusted],
  [/^There was an error establishing an SSL connection/, untrusted],
  [/^SASL: /, { kind: 'authentication', connectionLost: true, applied: 'no' }],
  [/^Password must be a string/, { kind: 'authentication', connectionLost: true, applied: 'no' }],
  [/^Received unexpected \w+ message from backend|^received invalid response: /, cutOff],
];

/** PgBouncer answers everything of its own with 08P01. */
const byPoolerWords: readonly (readonly [RegExp, Verdict])[] = [
  [/query_wait_timeout/, { kind: 'overloaded', connectionLost: true, applied: 'no' }],
  [/server login has been failing|no such database|database is disabled/, neverSent],
  [
    /unsupported startup parameter/,
    {
      kind: 'usage',
      connectionLost: true,
      applied: 'no',
      hint: 'This is a pooler: use the option pooler: "transaction".',
    },
  ],
];

/** Errors after which the session was seen to end; in other languages "FATAL" is another word. */
const endings = new WeakSet<object>();
/** Errors that came before there was a session. */
const refusals = new WeakSet<object>();

/** Errors that came before the server had begun with the statement. */
const unbegun = new WeakSet<object>();

/** Remembers that the session ended right after this error. */
export function markEnding(error: unknown): void {
  if (typeof error === 'object' && error !== null) endings.add(error);
}

/** Remembers that the error came while connecting, when no statement can have been sent. */
export function markRefusal(error: unknown): void {
  if (typeof error === 'object' && error !== null) refusals.add(error);
}

/**
 * Remembers that the error came before the server had bound the statement's values: it answers in
 * order, so it had not begun to run it. Only for what the server itself says when it is interrupted;
 * the routine is the same in every language, and what a pooler makes up has none.
 */
export function markUnbegun(error: unknown): void {
  if (typeof error !== 'object' || error === null) return;
  if ((error as Record<string, unknown>)['routine'] === 'ProcessInterrupts') unbegun.add(error);
}

/** Judges any error; never throws, whatever it is given. */
export function classifyPostgres(error: unknown): Fault {
  try {
    const fault = judge(error, 0);
    if (!refusals.has(error as object)) return fault;
    const kind = fault.kind === 'unknown' ? 'connection' : fault.kind;
    return { ...fault, kind, connectionLost: true, applied: 'no' };
  } catch {
    return { kind: 'unknown' };
  }
}

/** True for the server's word that a COMMIT took effect, but that its replicas did not confirm it. */
export function isUnconfirmedCommit({
  code,
  message,
  routine,
}: {
  readonly code: string;
  readonly message: string;
  readonly routine?: string;
}): boolean {
  // The code is that of every warning; the routine is the same in every language.
  return (
    code === '01000' &&
    (routine === 'SyncRepWaitForLSN' || /wait for synchronous replication/.test(message))
  );
}

/** True when the server knows no plan of this statement any more, so it must be prepared again. */
export function isStalePlan(error: unknown): boolean {
  return classifyPostgres(error).kind === 'stalePlan';
}

function judge(error: unknown, depth: number): Fault {
  if (typeof error !== 'object' || error === null || depth > 4) return { kind: 'unknown' };
  if (isDalError(error)) return error.fault ?? { kind: error.kind, applied: 'no' };
  if (isNeverWritten(error)) return { ...neverSent, code: error.code };
  const { code, message, severity } = error as Record<string, unknown>;
  if (typeof severity === 'string' && typeof code === 'string') return judgeAnswer(error, code);
  const known = judgeNodeError(error, code) ?? judgeWords(message);
  if (known) return known;
  if (error instanceof AggregateError) return judgeAll(error, depth);
  const { cause } = error as { cause?: unknown };
  if (cause !== undefined) return judge(cause, depth + 1);
  return endings.has(error) ? cutOff : { kind: 'unknown' };
}

function judgeNodeError(error: object, code: unknown): Fault | undefined {
  if (typeof code !== 'string') return undefined;
  const { syscall } = error as { syscall?: unknown };
  // Many addresses of one host, all tried in vain: the list says more than the shell around it.
  if (error instanceof AggregateError) return undefined;
  if (code === 'ETIMEDOUT' && syscall === 'connect') return { ...neverSent, code };
  if (Object.hasOwn(byNodeCode, code)) return { ...byNodeCode[code]!, code };
  return /^ERR_(?:TLS|SSL|OSSL)_/.test(code) ? { ...untrusted, code } : undefined;
}

function judgeWords(message: unknown): Fault | undefined {
  if (typeof message !== 'string') return undefined;
  return byWords.find(([words]) => words.test(message))?.[1];
}

function judgeAll(error: AggregateError, depth: number): Fault {
  const faults = error.errors.slice(0, 16).map((one: unknown) => judge(one, depth + 1));
  const first = faults.find((fault) => fault.kind !== 'unknown');
  if (!first) return { kind: 'unknown' };
  const everyUnsent = faults.every((fault) => fault.applied === 'no');
  return { ...first, applied: everyUnsent ? 'no' : 'unknown' };
}

interface Answer {
  readonly severity: string;
  readonly message?: unknown;
  readonly routine?: unknown;
  readonly constraint?: unknown;
  readonly table?: unknown;
  readonly column?: unknown;
  readonly hint?: unknown;
}

function judgeAnswer(error: object, code: string): Fault {
  const answer = error as Answer;
  const verdict = verdictOf(code, answer);
  const connectionLost =
    verdict.connectionLost === true ||
    answer.severity === 'FATAL' ||
    answer.severity === 'PANIC' ||
    endings.has(error);
  return {
    // With an ERROR the server undid the statement; a FATAL says why the session ended, and nothing
    // of a COMMIT that was under way.
    applied: connectionLost ? 'unknown' : 'no',
    transaction: connectionLost ? 'gone' : 'aborted',
    ...textField('hint', answer.hint),
    ...verdict,
    ...(connectionLost ? { connectionLost: true } : {}),
    ...(unbegun.has(error) ? { applied: 'no' } : {}),
    code,
    ...textField('constraint', answer.constraint),
    ...textField('table', answer.table),
    ...textField('column', answer.column),
  };
}

function verdictOf(code: string, { message, routine, severity }: Answer): Verdict {
  const words = typeof message === 'string' ? message : '';
  switch (code) {
    case '08P01':
      return (
        byPoolerWords.find(([pattern]) => pattern.test(words))?.[1] ??
        (severity === 'ERROR' ? { kind: 'usage' } : cutOff)
      );
    case '0A000':
      // The routine is the same in every language of the server, the message is not.
      if (routine === 'RevalidateCachedQuery') return { kind: 'stalePlan' };
      if (/hot standby/.test(words)) return { kind: 'readOnly' };
      break;
    case '42601':
      // Two statements in one text, which the extended protocol does not take.
      if (routine === 'exec_parse_message') {
        return { kind: 'usage', hint: 'Send one statement at a time.' };
      }
      break;
    case '57014':
      if (/statement timeout/.test(words)) return { kind: 'statementTimeout' };
      break;
    default:
      break;
  }
  if (Object.hasOwn(bySqlState, code)) return bySqlState[code]!;
  const family = code.slice(0, 2);
  return { kind: (Object.hasOwn(byClass, family) ? byClass[family] : undefined) ?? 'unknown' };
}

function textField<Name extends string>(
  name: Name,
  value: unknown,
): { readonly [Key in Name]?: string } {
  return (typeof value === 'string' && value !== '' ? { [name]: value } : {}) as {
    readonly [Key in Name]?: string;
  };
}
