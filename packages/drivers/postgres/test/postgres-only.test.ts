import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '@dal/core';
import { startFaultProxy } from '@dal/testing/faults';
import { type Server, startServer } from '@dal/testing/servers';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { type PostgresConfig, postgres, postgresDriver } from '../src/index.ts';

type Session = Awaited<ReturnType<typeof postgresDriver.connect>>;

const { url } = inject('engines').find((engine) => engine.name === 'postgres')!;
const open: Session[] = [];
const lost: unknown[] = [];

async function session(options: PostgresConfig = {}): Promise<Session> {
  const connection = await postgresDriver.connect(
    postgresDriver.configure!({ url, ...options }),
    (error) => lost.push(error),
  );
  open.push(connection);
  return connection;
}

async function rowsOf(
  connection: Session,
  text: string,
  values: unknown[] = [],
): Promise<unknown[]> {
  return (await connection.query({ text, values, rowMode: 'array' })).rows;
}

async function faultOf(
  work: Promise<unknown>,
): Promise<ReturnType<typeof postgresDriver.classify>> {
  return postgresDriver.classify(await work.then(() => expect.fail('it worked'), identity));
}

function identity(error: unknown): unknown {
  return error;
}

async function everything(batches: AsyncIterable<unknown[]>): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const batch of batches) rows.push(...batch);
  return rows;
}

function batchesOf(connection: Session): AsyncIterator<unknown[]> {
  const statement = { text: 'SELECT generate_series(1, 100000)', values: [] };
  return connection.stream!(statement, 10)[Symbol.asyncIterator]();
}

/** Whether the session's own line is encrypted, as the server sees it. */
async function encrypted(connection: Session): Promise<unknown> {
  return (await rowsOf(connection, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'))[0];
}

async function killBackend(connection: Session, killer: Session): Promise<void> {
  const { processID } = connection.raw as unknown as { processID: number };
  await rowsOf(killer, 'SELECT pg_terminate_backend($1, 5000)', [processID]);
}

afterEach(async () => {
  await Promise.all(open.map((connection) => connection.close()));
  open.length = 0;
  lost.length = 0;
});

describe('values', () => {
  test('travel there and back without losing anything', async () => {
    const connection = await session();
    const values = [
      9_007_199_254_740_993n,
      '12345678901234567890.000000000000000000001',
      -0,
      Number.NaN,
      new Date('-000043-03-15T04:05:06.789Z'),
      new Date('+012345-01-02T03:04:05.006Z'),
      Buffer.from([0, 92, 255]),
      [
        [1, null],
        [3, 9_007_199_254_740_993n],
      ],
      ['a"b\\c', null, 'NULL', '', '{,}', 'ü'],
      [Buffer.from([0, 92]), null],
      [new Date(0), null],
      [true, null, false],
    ];
    const types =
      'int8 numeric float8 float8 timestamptz timestamptz bytea int8[] text[] bytea[] timestamptz[] bool[]';
    const marks = types.split(' ').map((type, index) => `$${index + 1}::${type}`);
    expect(await rowsOf(connection, `SELECT ${marks.join(', ')}`, values)).toEqual([values]);
  });

  test('no setting of the role or the server changes how they read', async () => {
    const connection = await session({
      options: '-c IntervalStyle=iso_8601 -c lc_monetary=C',
    });
    await rowsOf(connection, "SET TimeZone = 'Asia/Kolkata'");
    const moment = new Date('2026-01-31T12:30:00.007Z');
    const [[back, naive, infinity]] = (await rowsOf(
      connection,
      "SELECT $1::timestamptz, $2::timestamp, 'infinity'::timestamptz",
      [moment, moment],
    )) as [unknown[]];
    expect([back, naive, infinity]).toEqual([moment, moment, 'infinity']);
  });

  test('a column can be called __proto__', async () => {
    const { rows } = await (
      await session()
    ).query({
      text: `SELECT '{"polluted": true}'::jsonb AS "__proto__"`,
      values: [],
    });
    expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(rows[0], '__proto__')?.value).toEqual({
      polluted: true,
    });
  });

  test('one that does not fit what was asked for is an error, and costs nothing else', async () => {
    const connection = await session({ integers: 'number' });
    const text = 'SELECT 9007199254740993 FROM generate_series(1, 10)';
    expect(await faultOf(connection.query({ text, values: [] }))).toMatchObject({ kind: 'data' });
    await expect(everything(connection.stream!({ text, values: [] }, 3))).rejects.toThrow(/fit/);
    expect(await rowsOf(connection, 'SELECT 1')).toEqual([[1]]);
  });
});

describe('statements', () => {
  test('two in one text are refused, with and without values', async () => {
    const connection = await session();
    for (const values of [[], [1]]) {
      const text = values.length > 0 ? 'SELECT $1::int; SELECT 2' : 'SELECT 1; SELECT 2';
      expect(await faultOf(connection.query({ text, values }))).toMatchObject({ kind: 'usage' });
    }
    expect(connection.status!()).toBe('idle');
  });

  test('the status comes from the server, also right after an error', async () => {
    const connection = await session();
    await rowsOf(connection, 'BEGIN');
    expect(connection.status!()).toBe('transaction');
    await faultOf(rowsOf(connection, 'SELECT 1 / 0'));
    expect(connection.status!()).toBe('failed');
    const { command } = await connection.query({ text: 'COMMIT', values: [] });
    expect([command, connection.status!()]).toEqual(['ROLLBACK', 'idle']);
  });

  test('a deferred constraint that fails at the end is an error, of a stream too', async () => {
    const connection = await session();
    await rowsOf(
      connection,
      'CREATE TEMP TABLE once (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)',
    );
    const statement = { text: 'INSERT INTO once VALUES (1), (1) RETURNING id', values: [] };
    expect(await faultOf(connection.query(statement))).toMatchObject({ kind: 'unique' });
    expect(await faultOf(everything(connection.stream!(statement, 10)))).toMatchObject({
      kind: 'unique',
    });
    expect(await rowsOf(connection, 'SELECT count(*) FROM once')).toEqual([[0]]);
  });

  test('COPY is refused instead of hanging', async () => {
    const connection = await session();
    await rowsOf(connection, 'CREATE TEMP TABLE copied AS SELECT 1 AS id');
    for (const text of ['COPY copied FROM STDIN', 'COPY copied TO STDOUT']) {
      expect(await faultOf(connection.query({ text, values: [] }))).toMatchObject({
        kind: 'usage',
      });
      await expect(everything(connection.stream!({ text, values: [] }, 2))).rejects.toThrow(
        /COPY|copy/,
      );
      expect(await rowsOf(connection, 'SELECT 1')).toEqual([[1]]);
    }
  });

  test('a text with a zero byte is refused before it is sent', async () => {
    const connection = await session();
    await expect(rowsOf(connection, "SELECT 'a\0b'")).rejects.toThrow(/zero byte/);
    expect(await rowsOf(connection, 'SELECT 1')).toEqual([[1]]);
  });
});

describe('prepared statements', () => {
  const prepared = 'SELECT count(*) FROM pg_prepared_statements';

  test('are kept by name, and closed beyond the limit', async () => {
    const connection = await session({ preparedStatements: 3 });
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 10; index++) {
        const { rows } = await connection.query({
          text: `SELECT $1::int + ${index} AS sum`,
          values: [1],
          name: `s${index}`,
        });
        expect(rows).toEqual([{ sum: index + 1 }]);
      }
    }
    expect(await rowsOf(connection, prepared)).toEqual([[3]]);
  });

  test('survive a change of the table, DEALLOCATE ALL and a reset', async () => {
    const connection = await session();
    const statement = { text: 'SELECT * FROM shape', values: [], name: 'shape' };
    const widths: number[] = [];
    const attempt = async (): Promise<string> => {
      try {
        widths.push((await connection.query(statement)).columns.length);
        return 'fine';
      } catch (error) {
        return postgresDriver.classify(error).kind;
      }
    };
    await rowsOf(connection, 'CREATE TEMP TABLE shape (a int)');
    const kinds = [await attempt(), await attempt()];
    await rowsOf(connection, 'ALTER TABLE shape ADD b int');
    kinds.push(await attempt(), await attempt());
    await rowsOf(connection, 'DEALLOCATE ALL');
    kinds.push(await attempt(), await attempt());
    await connection.reset!();
    await rowsOf(connection, 'CREATE TEMP TABLE shape (a int, b int, c int)');
    kinds.push(await attempt());
    // Each time it is prepared again, and nobody notices.
    expect(new Set(kinds)).toEqual(new Set(['fine']));
    expect(widths).toEqual([1, 1, 2, 2, 2, 2, 3]);
  });

  test('one that failed the first time is prepared again', async () => {
    const connection = await session();
    const statement = { text: 'SELECT * FROM later', values: [], name: 'later' };
    expect(await faultOf(connection.query(statement))).toMatchObject({ kind: 'schema' });
    await rowsOf(connection, 'CREATE TEMP TABLE later (a int)');
    expect((await connection.query(statement)).rows).toEqual([]);
    const divide = { text: 'SELECT 1 / $1::int AS x', values: [0], name: 'divide' };
    expect(await faultOf(connection.query(divide))).toMatchObject({ kind: 'data' });
    expect((await connection.query({ ...divide, values: [1] })).rows).toEqual([{ x: 1 }]);
  });

  test('stay within bounds however many texts there are', async () => {
    const connection = await session();
    for (let index = 0; index < 1_500; index++) {
      await connection.query({ text: `SELECT ${index} AS n`, values: [], name: `n${index}` });
    }
    const { size, capacity, hits, misses, evictions } = connection.statements!();
    expect([hits, misses, evictions]).toEqual([0, 1_500, 1_500 - size]);
    expect(capacity).toBeLessThanOrEqual(500);
    expect(size).toBeLessThanOrEqual(capacity);
    expect(await rowsOf(connection, prepared)).toEqual([[size]]);
  });

  test('have no names through a transaction pooler', async () => {
    const connection = await session({ pooler: 'transaction' });
    await connection.query({ text: 'SELECT 1', values: [], name: 'one' });
    expect(await rowsOf(connection, prepared)).toEqual([[0]]);
  });
});

describe('a session', () => {
  test('reads only, also single statements, and after a reset', async () => {
    const connection = await session({ readOnly: true });
    for (let round = 0; round < 2; round++) {
      expect(await faultOf(rowsOf(connection, 'CREATE TABLE forbidden (a int)'))).toMatchObject({
        kind: 'readOnly',
        applied: 'no',
      });
      await rowsOf(connection, 'SET default_transaction_read_only = off');
      await connection.reset!();
    }
  });

  test('forgets what was set when it is reset', async () => {
    const connection = await session({ options: '-c search_path=pg_catalog' });
    await rowsOf(connection, "SET search_path = 'x'");
    await rowsOf(connection, 'CREATE TEMP TABLE gone (a int)');
    await rowsOf(connection, 'BEGIN');
    await connection.reset!();
    expect(
      await rowsOf(connection, "SELECT current_setting('search_path'), to_regclass('gone')"),
    ).toEqual([['pg_catalog', null]]);
    expect(connection.status!()).toBe('idle');
  });

  test('shows its name', async () => {
    const connection = await session({ applicationName: 'shop-web' });
    expect(await rowsOf(connection, "SELECT current_setting('application_name')")).toEqual([
      ['shop-web'],
    ]);
  });

  test('killed while idle, busy, in a transaction or in a stream says so once', async () => {
    const killer = await session();
    const states: ((connection: Session) => Promise<unknown>)[] = [
      () => Promise.resolve(),
      (connection) => faultOf(rowsOf(connection, 'SELECT pg_sleep(30)')),
      (connection) => rowsOf(connection, 'BEGIN'),
      (connection) => batchesOf(connection).next(),
    ];
    for (const enter of states) {
      const connection = await session();
      lost.length = 0;
      const entered = enter(connection);
      await sleep(50);
      await killBackend(connection, killer);
      await entered;
      await vi.waitFor(() => expect(lost).toHaveLength(1));
      expect(postgresDriver.classify(lost[0])).toMatchObject({
        code: '57P01',
        connectionLost: true,
      });
      expect(await faultOf(rowsOf(connection, 'SELECT 1'))).toMatchObject({
        connectionLost: true,
        applied: 'no',
      });
      await connection.close();
      expect(lost).toHaveLength(1);
    }
  });

  test('destroyed in the middle of a statement settles it at once, and is not lost', async () => {
    const connection = await session();
    const running = faultOf(rowsOf(connection, 'SELECT pg_sleep(30)'));
    await sleep(20);
    connection.destroy!();
    expect(await running).toMatchObject({ connectionLost: true, applied: 'unknown' });
    await connection.close();
    expect(lost).toEqual([]);
  });
});

describe('a line', () => {
  test.for([
    ['bytes that are no message', Buffer.from([0x21, 0, 0, 0, 4])],
    ['a message that breaks off in itself', Buffer.from([0x54, 0, 0, 0, 6, 0x7f, 0xff])],
  ] as const)('with %s ends the session, not the process', async ([, bytes]) => {
    const pretender = await pretendServer();
    const connection = await session({ host: '127.0.0.1', port: pretender.port, tls: 'disable' });
    lost.length = 0;
    const running = faultOf(rowsOf(connection, 'SELECT 1'));
    await sleep(20);
    pretender.sockets[0]!.write(bytes);
    expect(await running).toMatchObject({ connectionLost: true, applied: 'unknown' });
    await vi.waitFor(() => expect(lost).toHaveLength(1));
    expect(await faultOf(rowsOf(connection, 'SELECT 1'))).toMatchObject({ applied: 'no' });
    await pretender.close();
  });
});

describe('a stream', () => {
  const text = "SELECT n, repeat('x', 1000) FROM generate_series(1, 300000) n";

  test('waits for its reader, and leaves the session usable when it is left', async () => {
    const connection = await session();
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    const through = await session({ host: proxy.host, port: proxy.port });
    const before = proxy.counts.bytesDown;
    for await (const rows of through.stream!({ text, values: [] }, 100)) {
      expect(rows).toHaveLength(100);
      await sleep(100);
      // 300 MB would be on their way if the server didn't wait.
      expect(proxy.counts.bytesDown - before).toBeLessThan(1_000_000);
      break;
    }
    expect(await rowsOf(through, 'SELECT 1')).toEqual([[1]]);
    expect(await rowsOf(connection, 'SELECT 1')).toEqual([[1]]);
  });

  test('inside a transaction leaves no portal behind', async () => {
    const connection = await session();
    await rowsOf(connection, 'BEGIN');
    for await (const _ of connection.stream!({ text, values: [] }, 100)) break;
    expect(connection.status!()).toBe('transaction');
    expect(
      await rowsOf(
        connection,
        "SELECT count(*) FROM pg_cursors WHERE statement LIKE '%gener' || 'ate_series%'",
      ),
    ).toEqual([[0]]);
    await rowsOf(connection, 'COMMIT');
  });

  test('that fails in the middle gives its rows, then its error', async () => {
    const connection = await session();
    const failing = { text: 'SELECT 10 / (250 - n) FROM generate_series(1, 1000) n', values: [] };
    let rowCount = 0;
    const loop = async (): Promise<void> => {
      for await (const rows of connection.stream!(failing, 100)) rowCount += rows.length;
    };
    expect(await faultOf(loop())).toMatchObject({ kind: 'data' });
    expect(rowCount).toBe(200);
    expect(connection.status!()).toBe('idle');
  });

  test('cut off between two batches never ends as if it were whole', async () => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    const through = await session({ host: proxy.host, port: proxy.port });
    const loop = async (): Promise<void> => {
      for await (const _ of through.stream!({ text, values: [] }, 100)) {
        proxy.resetAll();
        await sleep(50);
      }
    };
    expect(await faultOf(loop())).toMatchObject({ connectionLost: true });
  });
});

describe('a cancel', () => {
  test('stops the statement, and never the next one', async () => {
    const connection = await session();
    for (let round = 0; round < 20; round++) {
      const stuck = faultOf(rowsOf(connection, 'SELECT pg_sleep(30)'));
      // On a busy machine the first cancel may come before the statement.
      for (let isOver = false; !isOver;) {
        await sleep(5);
        await connection.cancel!();
        isOver = await Promise.race([stuck.then(() => true), sleep(20, false)]);
      }
      expect((await stuck).kind).toBe('cancelled');
      expect(await rowsOf(connection, 'SELECT pg_sleep(0.002), 1')).toEqual([['', 1]]);
    }
  });

  test('of nothing harms nobody', async () => {
    const connection = await session();
    await connection.cancel!();
    expect(await rowsOf(connection, 'SELECT pg_sleep(0.01), 1')).toEqual([['', 1]]);
  });

  test('leaves no line behind when the session is destroyed meanwhile', async () => {
    await using proxy = await startFaultProxy({ port: Number(new URL(url).port) });
    const connection = await session({ host: proxy.host, port: proxy.port });
    proxy.set('stall');
    const cancel = connection.cancel!().catch(identity);
    await vi.waitFor(() => expect(proxy.counts.open).toBe(2));
    connection.destroy!();
    await cancel;
    // A stalled proxy doesn't look whether somebody hung up.
    proxy.set('pass');
    await vi.waitFor(() => expect(proxy.counts.open).toBe(0));
  });
});

describe('connecting', () => {
  test('to somebody who accepts and says nothing ends in time, with no socket left', async () => {
    for (const tls of ['disable', 'prefer'] as const) {
      const silent = await listen((socket) => void socket.resume());
      const started = performance.now();
      const fault = await faultOf(
        session({ host: '127.0.0.1', port: silent.port, tls, connectTimeoutMs: 200 }),
      );
      expect(fault).toMatchObject({ kind: 'connection', applied: 'no' });
      expect(performance.now() - started).toBeLessThan(1_000);
      await vi.waitFor(() => expect(silent.sockets.every((socket) => socket.destroyed)).toBe(true));
      await silent.close();
    }
  });

  test('to a server that hangs up, or talks something else, is an error', async () => {
    const answers: ((socket: Socket) => void)[] = [
      (socket) => socket.end(),
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      (socket) => socket.end(randomBytes(512)),
      // An authentication of a kind that nobody knows makes pg's reader throw.
      (socket) => socket.end(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 99])),
      // Text slipped in behind the yes to TLS.
      (socket) => socket.end('Sanything'),
    ];
    for (const answer of answers) {
      for (const tls of ['disable', 'prefer'] as const) {
        const strange = await listen((socket) => {
          socket.once('data', () => answer(socket));
        });
        const fault = await faultOf(
          session({ host: '127.0.0.1', port: strange.port, tls, connectTimeoutMs: 1_000 }),
        );
        expect(fault).toMatchObject({ applied: 'no', connectionLost: true });
        await strange.close();
      }
    }
  });

  test('with a wrong password, database or port says which', async () => {
    expect(await faultOf(session({ password: 'wrong' }))).toMatchObject({
      kind: 'authentication',
      code: '28P01',
    });
    expect(await faultOf(session({ database: 'nowhere' }))).toMatchObject({
      kind: 'schema',
      code: '3D000',
    });
    expect(await faultOf(session({ host: 'localhost', port: 1 }))).toMatchObject({
      kind: 'connection',
      code: 'ECONNREFUSED',
      applied: 'no',
    });
  });

  test('asks for the password each time, and tells when there is none', async () => {
    const { password, ...login } = postgresDriver.configure!({ url });
    let asked = 0;
    const ask = async (): Promise<string> => {
      asked++;
      await sleep(1);
      return password as string;
    };
    const { host, port, user, database } = login;
    const connect = (secret: PostgresConfig['password']): Promise<unknown> =>
      postgresDriver
        .connect({ ...login, host, port, user, database, password: secret }, () => undefined)
        .then((connection) => connection.close());
    await connect(ask);
    await connect(ask);
    expect(asked).toBe(2);
    for (const wrong of [
      undefined,
      () => Promise.reject(new Error('vault')),
      () => undefined as never,
    ]) {
      expect(await faultOf(connect(wrong))).toMatchObject({
        kind: 'authentication',
        applied: 'no',
      });
    }
  });
});

describe('a server of its own', () => {
  let server: Server;
  let db: Database;

  beforeAll(async () => {
    server = await startServer('postgres', { tls: true });
    db = postgres(`${server.url}?sslmode=disable`, { pool: { max: 2 } });
  });

  afterAll(async () => {
    await db.close();
    await server.close();
  });

  const own = (options: PostgresConfig): Promise<Session> =>
    session({ url: server.url, ...options });

  test('TLS means what libpq means', async () => {
    const ca = server.tls!.ca;
    const { host } = server;
    expect(await encrypted(await own({ tls: 'disable' }))).toEqual([false]);
    expect(await encrypted(await own({ tls: 'allow' }))).toEqual([false]);
    for (const tls of ['prefer', 'require'] as const) {
      expect(await encrypted(await own({ tls }))).toEqual([true]);
    }
    for (const mode of ['require', 'verify-ca', 'verify-full'] as const) {
      expect(await encrypted(await own({ tls: { mode, ca } }))).toEqual([true]);
      expect(await encrypted(await own({ host: 'localhost', tls: { mode, ca } }))).toEqual([true]);
    }
    expect(host).toBe('127.0.0.1');
    expect(await faultOf(own({ tls: 'verify-full' }))).toMatchObject({
      kind: 'authentication',
      applied: 'no',
    });
    expect(
      await faultOf(own({ tls: { mode: 'verify-full', ca, serverName: 'elsewhere.example' } })),
    ).toMatchObject({ kind: 'authentication', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    const { cert, key } = server.tls!;
    expect(await encrypted(await own({ tls: { ca, cert, key } }))).toEqual([true]);
  });

  test('the login can be bound to the TLS line, and TLS can come first', async () => {
    expect(await encrypted(await own({ tls: 'require', channelBinding: 'require' }))).toEqual([
      true,
    ]);
    expect(await encrypted(await own({ tls: 'require', tlsNegotiation: 'direct' }))).toEqual([
      true,
    ]);
  });

  test('a cancel is encrypted when the session is', async () => {
    for (const tlsNegotiation of ['postgres', 'direct'] as const) {
      const connection = await own({ tls: { ca: server.tls!.ca }, tlsNegotiation });
      const stuck = faultOf(rowsOf(connection, 'SELECT pg_sleep(30)'));
      await sleep(20);
      await connection.cancel!();
      expect((await stuck).kind).toBe('cancelled');
    }
  });

  test('a server without TLS is refused by "require", and taken by "prefer"', async () => {
    expect(await encrypted(await session({ tls: 'prefer' }))).toEqual([false]);
    expect(await faultOf(session({ tls: 'require' }))).toMatchObject({
      kind: 'authentication',
      applied: 'no',
    });
  });

  test('a Unix socket leads to it as well', async () => {
    const [[folder]] = (await db.query('SHOW unix_socket_directories', [], {
      rowMode: 'array',
    })) as unknown as [[string]];
    const connection = await own({ host: folder });
    expect(await rowsOf(connection, 'SELECT inet_server_port()')).toEqual([[null]]);
    const stuck = faultOf(rowsOf(connection, 'SELECT pg_sleep(30)'));
    await sleep(20);
    await connection.cancel!();
    expect((await stuck).kind).toBe('cancelled');
  });

  test('frozen, it can neither be connected to nor keep a session from closing', async () => {
    const connection = await own({});
    await server.freeze();
    try {
      expect(await faultOf(own({ connectTimeoutMs: 300 }))).toMatchObject({
        kind: 'connection',
        applied: 'no',
      });
      const started = performance.now();
      await connection.close();
      expect(performance.now() - started).toBeLessThan(4_000);
    } finally {
      await server.thaw();
    }
  });

  test('killed under sessions in every state, nothing is thrown at the process', async () => {
    const thrown: unknown[] = [];
    const note = (error: unknown): void => void thrown.push(error);
    process.on('uncaughtException', note).on('unhandledRejection', note);
    try {
      const [idle, busy, inside, streaming] = await Promise.all(
        Array.from({ length: 4 }, () => own({})),
      );
      lost.length = 0;
      await rowsOf(inside!, 'BEGIN');
      const running = faultOf(rowsOf(busy!, 'SELECT pg_sleep(30)'));
      const reading = batchesOf(streaming!);
      await reading.next();
      const connecting = own({}).catch(identity);
      await server.kill();
      expect(await running).toMatchObject({
        kind: 'connection',
        connectionLost: true,
        applied: 'unknown',
      });
      expect(await faultOf(reading.next())).toMatchObject({ connectionLost: true });
      await connecting;
      await vi.waitFor(() => expect(lost.length).toBeGreaterThanOrEqual(4));
      expect(await faultOf(own({}))).toMatchObject({ kind: 'connection', applied: 'no' });
      expect(await faultOf(rowsOf(idle!, 'SELECT 1'))).toMatchObject({ applied: 'no' });
      await sleep(50);
      expect(thrown).toEqual([]);
    } finally {
      process.off('uncaughtException', note).off('unhandledRejection', note);
      await server.start();
    }
    expect(await db.queryValue('SELECT 1')).toBe(1);
  });
});

interface Listener {
  readonly port: number;
  readonly sockets: Socket[];
  close(): Promise<void>;
}

/** Logs everybody in and says nothing more. */
function pretendServer(): Promise<Listener> {
  const authenticated = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
  const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
  return listen((socket) => {
    socket.once('data', () => socket.write(Buffer.concat([authenticated, ready])));
    socket.resume();
  });
}

async function listen(onSocket: (socket: Socket) => void): Promise<Listener> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
