import { type Fault, isDalError, isNeverWritten } from '@dal/core';
import { noteOf } from './error-notes.ts';
import type { Flavor } from './flavor.ts';

type Verdict = Omit<Fault, 'code'>;

/**
 * Judges any error; never throws. For errors of the server the number and the flavor decide:
 * mysql2's `code` has MySQL's names only, and 4025, a CHECK in MariaDB, is called
 * `ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE` there.
 */
export function classifyMysqlError(error: unknown): Fault {
  try {
    return judge(error);
  } catch {
    // A proxy or a getter that throws: whatever it is, it is not ours.
    return { kind: 'unknown' };
  }
}

const lost: Verdict = { kind: 'connection', connectionLost: true, applied: 'unknown' };
/** Undone, and the transaction around it is open and could be committed. */
const undone = { applied: 'no', transaction: 'open' } as const;
const gone = { applied: 'no', transaction: 'gone' } as const;

const NOT_PRIMARY =
  'This server takes no writes: name all servers in host, with targetSessionAttrs "read-write".';

/** What MySQL and MariaDB number alike. */
const shared: Readonly<Record<number, Verdict>> = {
  // Constraints
  1022: { kind: 'unique', ...undone },
  1062: { kind: 'unique', ...undone },
  1169: { kind: 'unique', ...undone },
  1586: { kind: 'unique', ...undone },
  1216: { kind: 'foreignKey', ...undone },
  1217: { kind: 'foreignKey', ...undone },
  1451: { kind: 'foreignKey', ...undone },
  1452: { kind: 'foreignKey', ...undone },
  1048: { kind: 'notNull', ...undone },
  1263: { kind: 'notNull', ...undone },
  1364: { kind: 'notNull', ...undone },
  // Words
  1064: { kind: 'syntax' },
  1065: { kind: 'syntax' },
  1149: { kind: 'syntax' },
  1046: { kind: 'schema' },
  1049: { kind: 'schema' },
  1051: { kind: 'schema' },
  1050: { kind: 'schema' },
  1052: { kind: 'schema' },
  1054: { kind: 'schema' },
  1060: { kind: 'schema' },
  1061: { kind: 'schema' },
  1091: { kind: 'schema' },
  1109: { kind: 'schema' },
  1146: { kind: 'schema' },
  1305: { kind: 'schema' },
  1347: { kind: 'schema' },
  // Values
  1136: { kind: 'usage' },
  1264: { kind: 'data', ...undone },
  1265: { kind: 'data', ...undone },
  1292: { kind: 'data', ...undone },
  1365: { kind: 'data', ...undone },
  1366: { kind: 'data', ...undone },
  1406: { kind: 'data', ...undone },
  1411: { kind: 'data', ...undone },
  1690: { kind: 'data', ...undone },
  3140: { kind: 'data', ...undone },
  3141: { kind: 'data', ...undone },
  // Login and rights
  1044: { kind: 'permission' },
  1045: { kind: 'authentication' },
  1129: {
    kind: 'authentication',
    hint: 'The server blocks this host; FLUSH HOSTS there lifts it.',
  },
  1130: { kind: 'authentication' },
  1142: { kind: 'permission' },
  1143: { kind: 'permission' },
  1227: { kind: 'permission' },
  1251: { kind: 'authentication' },
  1370: { kind: 'permission' },
  1396: { kind: 'permission' },
  1524: { kind: 'authentication' },
  1698: { kind: 'authentication' },
  1820: { kind: 'authentication', hint: 'The password has expired; set a new one.' },
  1862: { kind: 'authentication', hint: 'The password has expired; set a new one.' },
  3118: { kind: 'authentication', hint: 'The account is locked.' },
  3159: { kind: 'authentication', hint: 'The server demands TLS; set tls to "require".' },
  // Full, starting, stopping
  1040: { kind: 'overloaded', applied: 'no' },
  1203: { kind: 'overloaded', applied: 'no' },
  1226: { kind: 'overloaded', applied: 'no' },
  1053: { kind: 'notReady', connectionLost: true, applied: 'unknown' },
  3032: { kind: 'notReady', connectionLost: true, applied: 'no' },
  1077: { kind: 'notReady', connectionLost: true, applied: 'unknown' },
  1079: { kind: 'notReady', connectionLost: true, applied: 'unknown' },
  2006: lost,
  2013: lost,
  2014: lost,
  2045: lost,
  2055: lost,
  // Not the primary
  1290: { kind: 'usage' },
  1792: { kind: 'readOnly', ...undone },
  1836: { kind: 'readOnly', applied: 'no', hint: NOT_PRIMARY },
  // Locks and transactions
  1205: { kind: 'lockTimeout', ...undone },
  1213: { kind: 'deadlock', ...gone },
  1402: { kind: 'serialization', ...gone },
  1613: { kind: 'serialization', ...gone },
  1614: { kind: 'deadlock', ...gone },
  1180: { kind: 'notReady', applied: 'unknown', transaction: 'gone' },
  1099: { kind: 'usage' },
  1100: { kind: 'usage' },
  1192: { kind: 'usage' },
  1223: { kind: 'usage' },
  1568: { kind: 'usage', hint: 'An isolation can not be chosen inside a transaction.' },
  // Stopped
  1317: { kind: 'cancelled', ...undone },
  // Room
  3: { kind: 'resource' },
  28: { kind: 'resource' },
  1021: { kind: 'resource' },
  1030: { kind: 'resource' },
  1037: { kind: 'resource' },
  1038: { kind: 'resource' },
  1041: { kind: 'resource' },
  1114: { kind: 'resource' },
  1206: { kind: 'resource' },
  // Too big for max_allowed_packet: the server hangs up behind it, so no later statement may try.
  1153: {
    kind: 'usage',
    connectionLost: true,
    applied: 'no',
    hint: 'The statement is bigger than max_allowed_packet.',
  },
  1301: { kind: 'usage', hint: 'A result is bigger than max_allowed_packet.' },
  // Prepared statements
  1210: { kind: 'usage' },
  1243: { kind: 'stalePlan', applied: 'no' },
  1295: { kind: 'usage', hint: 'This statement takes no parameters; write it without values.' },
  1390: { kind: 'usage', hint: 'A statement takes 65,535 parameters at most.' },
  1461: {
    kind: 'resource',
    applied: 'no',
    hint: 'The server is at max_prepared_stmt_count; lower preparedStatements or the pool size, or raise it there.',
  },
  1615: { kind: 'stalePlan', applied: 'no' },
  // Spider: a shard is away, the session is fine.
  1429: { kind: 'notReady', applied: 'unknown' },
  12701: { kind: 'notReady', applied: 'unknown' },
  // Others
  1148: { kind: 'usage' },
  1644: { kind: 'unknown' },
};

const mysqlFaults: Readonly<Record<number, Verdict>> = {
  ...shared,
  1047: { kind: 'usage' },
  3024: { kind: 'statementTimeout', ...undone },
  3100: { kind: 'readOnly', applied: 'unknown', transaction: 'gone' },
  3101: { kind: 'serialization', ...gone },
  3572: { kind: 'lockTimeout', ...undone },
  3819: { kind: 'check', ...undone },
  3948: { kind: 'usage' },
  4031: lost,
};

const mariadbFaults: Readonly<Record<number, Verdict>> = {
  ...shared,
  // Snapshot isolation, on by default from 11.8: the whole transaction is gone.
  1020: { kind: 'serialization', ...gone },
  1047: { kind: 'readOnly', applied: 'no' },
  1927: lost,
  1969: { kind: 'statementTimeout', ...undone },
  4025: { kind: 'check', ...undone },
  4166: { kind: 'usage' },
};

/** For the numbers that stand nowhere: SQLSTATE's class, where it says something. */
const byStateClass: Readonly<Record<string, Verdict>> = {
  '22': { kind: 'data' },
  '23': { kind: 'check' },
  '28': { kind: 'authentication' },
  '40': { kind: 'serialization', applied: 'no', transaction: 'gone' },
  '42': { kind: 'usage' },
};

/** Of the operating system and of mysql2, which have no number of the server. */
const byCode: Readonly<Record<string, Verdict>> = {
  ECONNREFUSED: { kind: 'connection', applied: 'no' },
  ENOTFOUND: { kind: 'connection', applied: 'no' },
  EAI_AGAIN: { kind: 'connection', applied: 'no' },
  EACCES: { kind: 'connection', applied: 'no' },
  ENOENT: { kind: 'connection', applied: 'no', hint: 'There is no such socket file.' },
  EHOSTUNREACH: lost,
  ENETUNREACH: lost,
  ECONNABORTED: lost,
  ECONNRESET: lost,
  EPIPE: lost,
  ETIMEDOUT: lost,
  ERR_STREAM_DESTROYED: lost,
  ERR_SOCKET_CLOSED: lost,
  DAL_SESSION_ENDED: { kind: 'connection', connectionLost: true, applied: 'no' },
  PROTOCOL_CONNECTION_LOST: lost,
  PROTOCOL_SEQUENCE_TIMEOUT: lost,
  PROTOCOL_UNEXPECTED_PACKET: lost,
  PROTOCOL_ERROR: lost,
  PROTOCOL_PACKETS_OUT_OF_ORDER: lost,
  HANDSHAKE_NO_SSL_SUPPORT: {
    kind: 'authentication',
    applied: 'no',
    hint: 'The server speaks no TLS; tls "prefer" would go on without.',
  },
  HANDSHAKE_SSL_ERROR: { kind: 'connection', applied: 'no' },
  HANDSHAKE_UNKNOWN_ERROR: { kind: 'connection', applied: 'no' },
  AUTH_SWITCH_PLUGIN_ERROR: { kind: 'authentication', applied: 'no' },
  MYSQL_CLEAR_PASSWORD_NOT_ENABLED: { kind: 'authentication', applied: 'no' },
};

const certificateCodes =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA)/;

function judge(error: unknown): Fault {
  if (typeof error !== 'object' || error === null) return { kind: 'unknown' };
  if (isDalError(error))
    return error.fault ?? { kind: error.kind, applied: 'no', code: error.code };
  if (isNeverWritten(error)) return { ...lost, applied: 'no', code: error.code };
  const { code, errno, message, fatal } = error as Readonly<Record<string, unknown>>;
  const note = noteOf(error);
  const number = serverNumber(errno) ?? serverNumber(code);
  const fault =
    number === undefined
      ? judgeLocal(error, typeof code === 'string' ? code : undefined, fatal === true)
      : judgeServer(number, error, note?.flavor);
  return note?.phase === 'connect' ? asConnectFault(fault, String(message)) : fault;
}

interface ServerError {
  readonly sqlState?: unknown;
  readonly sqlMessage?: unknown;
  readonly message?: unknown;
}

/** A number of the server's; negative ones are the operating system's. */
function serverNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}

function judgeServer(number: number, error: ServerError, flavor: Flavor | undefined): Fault {
  const message = textOf(error.sqlMessage ?? error.message);
  const state = textOf(error.sqlState);
  const verdict =
    byWords(number, message) ?? tableOf(flavor, number)[number] ?? byStateClass[state.slice(0, 2)];
  return {
    applied: 'no',
    ...(verdict ?? { kind: 'unknown' }),
    ...placeOf(number, message),
    code: String(number),
  };
}

function tableOf(flavor: Flavor | undefined, number: number): Readonly<Record<number, Verdict>> {
  if (flavor !== undefined) return flavor === 'mariadb' ? mariadbFaults : mysqlFaults;
  // An error from elsewhere: the numbers of one flavor only are still telling.
  return Object.hasOwn(mysqlFaults, number) ? mysqlFaults : mariadbFaults;
}

/** The few numbers that mean several things, told apart by the words the server always uses. */
function byWords(number: number, message: string): Verdict | undefined {
  switch (number) {
    case 1290:
      return /read[-_]only/i.test(message)
        ? { kind: 'readOnly', applied: 'no', hint: NOT_PRIMARY }
        : undefined;
    case 1047:
      return /wsrep/i.test(message) ? { kind: 'readOnly', applied: 'no' } : { kind: 'usage' };
    case 1305:
      return /^savepoint/i.test(message) ? { kind: 'usage' } : undefined;
    default:
      return undefined;
  }
}

const places: Readonly<Record<number, RegExp>> = {
  1062: /for key '(?:(?<table>[^'.]+)\.)?(?<constraint>[^']+)'$/,
  1586: /for key '(?:(?<table>[^'.]+)\.)?(?<constraint>[^']+)'$/,
  1451: /\(`[^`]+`\.`(?<table>[^`]+)`, CONSTRAINT `(?<constraint>[^`]+)`/,
  1452: /\(`[^`]+`\.`(?<table>[^`]+)`, CONSTRAINT `(?<constraint>[^`]+)`/,
  1048: /^Column '(?<column>[^']+)'/,
  1364: /^Field '(?<column>[^']+)'/,
  1054: /^Unknown column '(?<column>[^']+)'/,
  1146: /^Table '(?:[^'.]+\.)?(?<table>[^']+)'/,
  1264: /for column '?(?:`[^`]+`\.`(?<table>[^`]+)`\.)?[`']?(?<column>[^`' ]+)/,
  1265: /for column '?(?:`[^`]+`\.`(?<table>[^`]+)`\.)?[`']?(?<column>[^`' ]+)/,
  1292: /for column '?(?:`[^`]+`\.`(?<table>[^`]+)`\.)?[`']?(?<column>[^`' ]+)/,
  1366: /for column '?(?:`[^`]+`\.`(?<table>[^`]+)`\.)?[`']?(?<column>[^`' ]+)/,
  1406: /for column '?(?:`[^`]+`\.`(?<table>[^`]+)`\.)?[`']?(?<column>[^`' ]+)/,
  3819: /^Check constraint '(?<constraint>[^']+)'/,
  4025: /^CONSTRAINT `(?:(?<table>[^`.]+)\.)?(?<constraint>[^`]+)` failed for `[^`]+`\.`(?<on>[^`]+)`/,
};

/** Which constraint, table and column, as far as the (English) message names them. */
function placeOf(number: number, message: string): Partial<Fault> {
  const found = places[number]?.exec(message)?.groups;
  if (!found) return {};
  const table = found['on'] ?? found['table'];
  const { constraint, column } = found;
  return {
    ...(constraint === undefined ? {} : { constraint }),
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
  };
}

function judgeLocal(error: object, code: string | undefined, isFatal: boolean): Fault {
  const withCode = code === undefined ? {} : { code };
  if (code !== undefined && Object.hasOwn(byCode, code)) {
    const verdict = byCode[code] as Verdict;
    const isConnecting = (error as { syscall?: unknown }).syscall === 'connect';
    return isConnecting
      ? { kind: verdict.kind, applied: 'no', ...withCode }
      : { ...verdict, ...withCode };
  }
  if (code !== undefined && certificateCodes.test(code)) {
    return { kind: 'authentication', applied: 'no', ...withCode };
  }
  const message = textOf((error as { message?: unknown }).message);
  // mysql2 gives these neither a number nor a code.
  if (/closed state/.test(message))
    return { kind: 'connection', connectionLost: true, applied: 'no' };
  if (isFatal) return { ...lost, ...withCode };
  // mysql2's encoder refuses a value before anything is sent.
  if (error instanceof TypeError || error instanceof RangeError) {
    return { kind: 'usage', applied: 'no', ...withCode };
  }
  return { kind: 'unknown', ...withCode };
}

/** Nothing that fails while connecting can have run a statement. */
function asConnectFault(fault: Fault, message: string): Fault {
  const { connectionLost: _, transaction: __, ...rest } = fault;
  const kind =
    fault.kind !== 'unknown'
      ? fault.kind
      : /auth|password|plugin/i.test(message)
        ? 'authentication'
        : 'connection';
  return { ...rest, kind, applied: 'no' };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
