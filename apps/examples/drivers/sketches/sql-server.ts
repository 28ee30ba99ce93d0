// A sketch: compiled against the types of `tedious`, never run against a server.
import {
  type BeginOptions,
  defineDriver,
  type Dialect,
  type Driver,
  type DriverConnection,
  type Fault,
  type NativeResult,
  type NativeStatement,
} from '@dal/core';
import { Connection, ISOLATION_LEVEL, Request, TYPES } from 'tedious';

export interface SqlServerSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly connectTimeoutMs: number;
}

const levels: Readonly<Record<string, number | undefined>> = {
  readUncommitted: ISOLATION_LEVEL['READ_UNCOMMITTED'],
  readCommitted: ISOLATION_LEVEL['READ_COMMITTED'],
  repeatableRead: ISOLATION_LEVEL['REPEATABLE_READ'],
  snapshot: ISOLATION_LEVEL['SNAPSHOT'],
  serializable: ISOLATION_LEVEL['SERIALIZABLE'],
};

const dialect: Dialect = {
  name: 'sqlserver',
  placeholder: (index) => `@p${index}`,
  quote: ['[', ']'],
  lexis: { brackets: true, nestedComments: true },
  ping: 'SELECT 1',
  // Calls of the protocol: see begin, commit, rollback, savepoint and rollbackTo below.
  transaction: null,
  isolations: Object.keys(levels),
  limits: { parameters: 2_100, decimals: { before: 28, behind: 10 } },
  types: {
    boolean: 'BIT',
    integer: 'INT',
    bigint: 'BIGINT',
    double: 'FLOAT',
    decimal: 'DECIMAL(38, 10)',
    text: 'NVARCHAR(MAX)',
    key: 'NVARCHAR(255)',
    bytes: 'VARBINARY(MAX)',
    json: 'NVARCHAR(MAX)',
    date: 'DATE',
    timestamp: 'DATETIME2(6)',
    autoId: 'BIGINT IDENTITY PRIMARY KEY',
  },
};

const faults: Readonly<Record<number, Fault>> = {
  102: { kind: 'syntax', applied: 'no' },
  207: { kind: 'schema', applied: 'no' },
  208: { kind: 'schema', applied: 'no' },
  245: { kind: 'data', applied: 'no' },
  515: { kind: 'notNull', applied: 'no' },
  547: { kind: 'foreignKey', applied: 'no' },
  1205: { kind: 'deadlock', applied: 'no', transaction: 'gone' },
  1222: { kind: 'lockTimeout', applied: 'no' },
  2601: { kind: 'unique', applied: 'no' },
  2627: { kind: 'unique', applied: 'no' },
  3960: { kind: 'serialization', applied: 'no', transaction: 'gone' },
  8115: { kind: 'data', applied: 'no' },
  18_456: { kind: 'authentication', applied: 'no' },
};

const byCode: Readonly<Record<string, Fault>> = {
  ECANCEL: { kind: 'cancelled', applied: 'no' },
  ELOGIN: { kind: 'authentication', connectionLost: true, applied: 'no' },
  ETIMEOUT: { kind: 'connection', connectionLost: true, applied: 'unknown' },
  ESOCKET: { kind: 'connection', connectionLost: true, applied: 'unknown' },
  ECLOSE: { kind: 'connection', connectionLost: true, applied: 'unknown' },
  // Said by the library before anything was sent.
  EINVALIDSTATE: { kind: 'connection', connectionLost: true, applied: 'no' },
};

function judge(error: unknown): Fault {
  const { number, code } = Object(error) as { number?: unknown; code?: unknown };
  const byNumber = typeof number === 'number' ? faults[number] : undefined;
  if (byNumber) return { ...byNumber, code: String(number) };
  const known = typeof code === 'string' && Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  return known ? { ...known, code: String(code) } : { kind: 'unknown', applied: 'unknown' };
}

class SqlServerConnection implements DriverConnection<Connection> {
  readonly raw: Connection;

  constructor(raw: Connection) {
    this.raw = raw;
  }

  query({ text, values, rowMode }: NativeStatement): Promise<NativeResult> {
    return new Promise((resolve, reject) => {
      const rows: unknown[] = [];
      let names: string[] = [];
      const request = new Request(text, (error, rowCount) => {
        if (error) reject(error);
        else resolve({ rows, columns: names.map((name) => ({ name })), affectedRows: names.length > 0 ? 0 : (rowCount ?? 0) }); // prettier-ignore
      });
      for (const [index, value] of values.entries()) {
        const { type, bound } = encode(value);
        request.addParameter(`p${index + 1}`, type, bound);
      }
      request.on('columnMetadata', (columns) => {
        names = (columns as { colName: string }[]).map(({ colName }) => colName);
      });
      request.on('row', (columns) => {
        const cells = (columns as { value: unknown }[]).map(({ value }) => value);
        rows.push(
          rowMode === 'array'
            ? cells
            : Object.fromEntries(names.map((name, at) => [name, cells[at]])),
        );
      });
      this.raw.execSql(request);
    });
  }

  begin({ isolation }: BeginOptions): Promise<void> {
    const level = isolation === undefined ? undefined : levels[isolation];
    return called((done) => this.raw.beginTransaction(done, '', level));
  }

  commit(): Promise<void> {
    return called((done) => this.raw.commitTransaction(done));
  }

  rollback(): Promise<void> {
    return called((done) => this.raw.rollbackTransaction(done));
  }

  savepoint(name: string): Promise<void> {
    return called((done) => this.raw.saveTransaction(done, name));
  }

  rollbackTo(name: string): Promise<void> {
    return called((done) => this.raw.rollbackTransaction(done, name));
  }

  /** An attention on the same line: the statement's own answer comes after it. */
  async cancel(): Promise<void> {
    this.raw.cancel();
  }

  reset(): Promise<void> {
    return called((done) => this.raw.reset(done));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.raw.once('end', () => resolve());
      this.raw.close();
    });
  }

  destroy(): void {
    this.raw.close();
  }
}

function called(call: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}

/** The protocol wants the type of each value. */
function encode(value: unknown): {
  readonly type: (typeof TYPES)[keyof typeof TYPES];
  readonly bound: unknown;
} {
  // prettier-ignore
  if (typeof value === 'boolean') return { type: TYPES.Bit, bound: value };
  if (typeof value === 'bigint') return { type: TYPES.BigInt, bound: String(value) };
  if (typeof value === 'number') {
    return { type: Number.isSafeInteger(value) ? TYPES.BigInt : TYPES.Float, bound: value };
  }
  if (value instanceof Date) return { type: TYPES.DateTime2, bound: value };
  if (value instanceof Uint8Array) return { type: TYPES.VarBinary, bound: Buffer.from(value) };
  return { type: TYPES.NVarChar, bound: value };
}

export const sqlServerDriver: Driver<SqlServerSettings, Connection> = defineDriver({
  name: 'sqlserver',
  schemes: ['sqlserver:', 'mssql:'],
  dialect,
  classify(error) {
    try {
      return judge(error);
    } catch {
      return { kind: 'unknown', applied: 'unknown' };
    }
  },
  async connect({ host, port, user, password, database, connectTimeoutMs }, lost, signal) {
    const raw = new Connection({
      server: host,
      authentication: { type: 'default', options: { userName: user, password } },
      options: {
        port,
        database,
        connectTimeout: connectTimeoutMs,
        requestTimeout: 0,
        useUTC: true,
      },
    });
    const giveUp = (): void => raw.close();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await called((done) => raw.connect(done));
      signal?.throwIfAborted();
    } catch (error) {
      raw.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
    const connection = new SqlServerConnection(raw);
    let failure: unknown;
    let asked = false;
    for (const end of ['close', 'destroy'] as const) {
      const own = connection[end].bind(connection);
      Object.assign(connection, { [end]: () => ((asked = true), own()) });
    }
    raw.on('error', (error) => (failure = error));
    raw.on('end', () => {
      if (!asked) lost(failure ?? new Error('The server ended the session.'));
    });
    return connection;
  },
});
