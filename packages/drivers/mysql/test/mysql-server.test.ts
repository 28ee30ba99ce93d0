import type { DriverConnection, Fault } from '@dal/core';
import { type Server, startServer } from '@dal/testing/servers';
import type { Connection } from 'mysql2';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { mysql } from '../src/index.ts';
import { mysqlDriver } from '../src/mysql-driver.ts';
import { loadTests } from './load-tests.ts';

type Session = DriverConnection<Connection>;

const flavors = (['mysql', 'mariadb'] as const).filter((kind) =>
  inject('engines').some(({ name }) => name === kind),
);

// What needs a server that may be frozen, killed and set up: TLS, logins, limits, restarts.
describe.each(flavors)('a %s server of our own', (kind) => {
  let server: Server;
  const opened: Session[] = [];
  let losses: unknown[] = [];

  async function open(options: object = {}): Promise<Session> {
    const checked = mysqlDriver.configure!({ url: server.url, ...options });
    const session = await mysqlDriver.connect(checked, (error) => losses.push(error));
    opened.push(session);
    return session;
  }

  beforeAll(async () => {
    server = await startServer(kind, {
      tls: true,
      settings: {
        performance_schema: 'ON',
        max_connections: 20,
        max_allowed_packet: 1_048_576,
        local_infile: 'ON',
      },
    });
  }, 120_000);

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((session) => session.close()));
    losses = [];
  });

  afterAll(async () => {
    await server.close();
  });

  describe('TLS', () => {
    async function cipher(tls: unknown, more: object = {}): Promise<string> {
      const session = await open({ tls, ...more });
      const { rows } = await session.query({ text: "SHOW STATUS LIKE 'Ssl_cipher'", values: [] });
      return (rows[0] as { Value: string }).Value;
    }

    test.each(['disable', 'allow'])('"%s" stays plain', async (word) => {
      expect(await cipher(word)).toBe('');
    });

    test.each(['prefer', 'require'])('"%s" encrypts, whoever signed', async (word) => {
      expect(await cipher(word)).not.toBe('');
    });

    test('the chain is checked, and the name or address with verify-full', async () => {
      const { ca } = server.tls!;
      // The certificate is for localhost and 127.0.0.1; the host is the address.
      expect(await cipher({ ca })).not.toBe('');
      expect(await cipher({ ca, mode: 'verify-full' }, { host: 'localhost' })).not.toBe('');
      expect(await cipher({ ca, mode: 'verify-full', serverName: 'localhost' })).not.toBe('');
      expect(await cipher({ ca, mode: 'verify-ca', serverName: 'other.example' })).not.toBe('');
      expect(await faultOf(open({ tls: { ca, serverName: 'other.example' } }))).toMatchObject({
        kind: 'authentication',
        applied: 'no',
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
      for (const tls of ['verify-ca', 'verify-full']) {
        // Signed by nobody whom this machine knows.
        expect(await faultOf(open({ tls }))).toMatchObject({
          kind: 'authentication',
          applied: 'no',
        });
      }
    });

    test('a client certificate is shown, and an account that wants TLS gets it from "allow"', async () => {
      const admin = await open();
      await admin.query({
        text: "CREATE USER secure@'%' IDENTIFIED BY 'pw' REQUIRE X509",
        values: [],
      });
      await admin.query({
        text: "CREATE USER coded@'%' IDENTIFIED BY 'pw' REQUIRE SSL",
        values: [],
      });
      const { ca, cert, key } = server.tls!;
      const secure = { user: 'secure', password: 'pw', database: 'information_schema' };
      expect(await cipher({ ca, cert, key }, secure)).not.toBe('');
      expect(await faultOf(open({ ...secure, tls: { ca } }))).toMatchObject({
        kind: 'authentication',
      });
      const coded = { user: 'coded', password: 'pw', database: 'information_schema' };
      expect(await cipher('allow', coded)).not.toBe('');
      expect(await faultOf(open({ ...coded, tls: 'disable' }))).toMatchObject({
        kind: 'authentication',
      });
      // A login over a plain line, with a password that the server has not seen before.
      await admin.query({ text: "CREATE USER plain@'%' IDENTIFIED BY 'pässwörd'", values: [] });
      const plain = { user: 'plain', password: 'pässwörd', database: 'information_schema' };
      expect(await cipher('disable', plain)).toBe('');
    });
  });

  describe('LOAD DATA LOCAL', () => {
    loadTests(open);
  });

  describe('prepared statements on the server', () => {
    async function prepared(watcher: Session): Promise<number> {
      const text = "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'";
      const { rows } = await watcher.query({ text, values: [] });
      return Number((rows[0] as { Value: string }).Value);
    }

    test('10,000 texts stay within the bounds, and those with tags of the call are not kept', async () => {
      const watcher = await open();
      await using db = mysql(server.url, { pool: { max: 4 } });
      const call = async (n: number): Promise<void> => {
        const values = [`${n}`];
        if (n % 4 === 0) {
          await db.query('SELECT ? AS tagged', values, { tags: { request: n } });
          return;
        }
        await db.query(`SELECT ? AS once${n}`, values);
        // From the second time on a text is kept.
        if (n % 4 === 1) await db.query(`SELECT ? AS once${n}`, values);
      };
      let most = 0;
      for (let n = 0; n < 10_000; n += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, more) => call(n + more)));
        if (n % 500 === 0) most = Math.max(most, await prepared(watcher));
      }
      const { size, capacity, evictions } = db.pool.stats().statements;
      expect(most).toBeLessThanOrEqual(4 * 500);
      expect(await prepared(watcher)).toBe(size);
      expect(size).toBeLessThanOrEqual(capacity);
      expect(evictions).toBeGreaterThan(1_000);
      await db.close();
      await expect.poll(() => prepared(watcher)).toBe(0);
    });

    test('a server that is full of them: a session makes room, and then says what to do', async () => {
      const [admin, greedy, other] = [await open(), await open(), await open()];
      const keep = (session: Session, n: number) =>
        session.query({ text: `SELECT ? AS k${n}`, values: ['v'], name: `k${n}` });
      await admin.query({ text: 'SET GLOBAL max_prepared_stmt_count = 20', values: [] });
      try {
        for (let n = 0; n < 50; n++) expect((await keep(greedy, n)).rows).toHaveLength(1);
        expect(greedy.statements!().size).toBeLessThanOrEqual(20);
        for (let n = 50; greedy.statements!().size < 20; n++) await keep(greedy, n);
        const fault = await faultOf(keep(other, 1));
        expect(fault).toMatchObject({ kind: 'resource', applied: 'no', code: '1461' });
        expect(fault.hint).toMatch(/max_prepared_stmt_count/);
        // Statements without values need none.
        expect((await other.query({ text: 'SELECT 1 AS one', values: [] })).rows).toHaveLength(1);
        await greedy.reset!();
        expect((await keep(other, 1)).rows).toEqual([{ k1: 'v' }]);
      } finally {
        await admin.query({ text: 'SET GLOBAL max_prepared_stmt_count = 16382', values: [] });
      }
    });
  });

  test("a limit doesn't lift the administrator's own", async () => {
    const admin = await open();
    const [name, scale] =
      kind === 'mariadb' ? ['max_statement_time', 1_000] : ['max_execution_time', 1];
    const set = (ms: number) =>
      admin.query({ text: `SET GLOBAL ${name} = ${ms / scale}`, values: [] });
    await set(20_000);
    try {
      const session = await open();
      const limits: number[] = [];
      for (const ms of [60_000, 5_000, 0]) {
        await session.limit!(ms);
        const { rows } = await session.query({ text: `SELECT @@${name} AS v`, values: [] });
        limits.push(Number((rows[0] as { v: unknown }).v) * scale);
      }
      expect(limits).toEqual([20_000, 5_000, 20_000]);
    } finally {
      await set(0);
    }
  });

  test('the application name is shown by the server', async () => {
    const session = await open({ applicationName: 'dal-test' });
    const { rows } = await session.query({
      text: `SELECT ATTR_VALUE AS name FROM performance_schema.session_account_connect_attrs
             WHERE ATTR_NAME = 'program_name' AND PROCESSLIST_ID = CONNECTION_ID()`,
      values: [],
    });
    expect(rows).toEqual([{ name: 'dal-test' }]);
  });

  test('a full server is overloaded, and lets others in when one leaves', async () => {
    const admin = await open();
    await admin.query({ text: 'SET GLOBAL max_connections = 10', values: [] });
    let fault: Fault | undefined;
    for (let n = 0; n < 20 && fault === undefined; n++) {
      // oxlint-disable-next-line no-await-in-loop -- until it is full
      fault = await open().then(
        () => undefined,
        (error: unknown) => mysqlDriver.classify(error),
      );
    }
    expect(fault).toMatchObject({ kind: 'overloaded', applied: 'no', code: '1040' });
    await admin.query({ text: 'SET GLOBAL max_connections = 20', values: [] });
    expect(losses).toEqual([]);
  });

  test('a statement above max_allowed_packet is an error, and the process goes on', async () => {
    const session = await open();
    const fault = await faultOf(
      session.query({ text: 'SELECT LENGTH(?) AS n', values: ['x'.repeat(3_000_000)] }),
    );
    // The server hangs up while the text is still being sent; its words may be lost on the way.
    expect(['usage', 'connection']).toContain(fault.kind);
    expect(fault.connectionLost).toBe(true);
    const next = await open();
    expect((await next.query({ text: 'SELECT 1 AS one', values: [] })).rows).toEqual([{ one: 1 }]);
  });

  test('a session that waits too long is lost, not an uncaught error', async () => {
    const session = await open();
    await session.query({ text: 'SET wait_timeout = 1', values: [] });
    await expect.poll(() => losses.length, { timeout: 10_000 }).toBe(1);
    expect(mysqlDriver.classify(losses[0])).toMatchObject({ connectionLost: true });
  });

  test('a frozen server: connecting, a cancel and a close all end in time', async () => {
    const [session, idle] = [await open(), await open()];
    const busy = faultOf(session.query({ text: 'SELECT SLEEP(60)', values: [] }));
    await server.freeze();
    try {
      const since = performance.now();
      expect(await faultOf(open({ connectTimeoutMs: 300 }))).toMatchObject({
        kind: 'connection',
        applied: 'no',
        code: 'ETIMEDOUT',
      });
      expect(performance.now() - since).toBeLessThan(1_000);
      // The layer waits for a cancel for a while, then destroys the session; that ends both.
      const cancelled = faultOf(session.cancel!());
      await new Promise((resolve) => setTimeout(resolve, 100));
      session.destroy!();
      expect(await busy).toMatchObject({ connectionLost: true, applied: 'unknown' });
      expect(await cancelled).toMatchObject({ kind: 'connection' });
      await idle.close();
      expect(losses).toEqual([]);
      expect(performance.now() - since).toBeLessThan(4_000);
    } finally {
      await server.thaw();
    }
  });

  test('a killed server loses each session once, whatever it did; a restarted one is back', async () => {
    const [idle, busy, inside] = [await open(), await open(), await open()];
    await inside.query({ text: 'START TRANSACTION', values: [] });
    const running = faultOf(busy.query({ text: 'SELECT SLEEP(60)', values: [] }));
    const streamed = await open();
    const streaming = faultOf(readAll(streamed));
    await server.kill();
    expect(await running).toMatchObject({ connectionLost: true, applied: 'unknown' });
    expect(await streaming).toMatchObject({ connectionLost: true });
    await expect.poll(() => losses.length).toBe(4);
    expect(await faultOf(open({ connectTimeoutMs: 2_000 }))).toMatchObject({
      kind: 'connection',
      applied: 'no',
    });
    expect(await faultOf(idle.query({ text: 'SELECT 1', values: [] }))).toMatchObject({
      connectionLost: true,
      applied: 'no',
    });
    await server.start();
    const again = await open();
    expect((await again.query({ text: 'SELECT 1 AS one', values: [] })).rows).toEqual([{ one: 1 }]);
    expect(losses).toHaveLength(4);
  });
});

test.each(flavors)(
  'a %s server without TLS: "prefer" goes on in plain, "require" does not',
  async (kind) => {
    const settings: Record<string, string> =
      kind === 'mysql' ? { 'tls-version': '' } : { ssl: '0' };
    await using server = await startServer(kind, { settings });
    const open = (tls: string) =>
      mysqlDriver.connect(mysqlDriver.configure!({ url: server.url, tls }), () => undefined);
    const plain = await open('prefer');
    const { rows } = await plain.query({ text: "SHOW STATUS LIKE 'Ssl_cipher'", values: [] });
    expect(rows).toMatchObject([{ Value: '' }]);
    await plain.close();
    expect(await faultOf(open('require'))).toMatchObject({
      kind: 'authentication',
      applied: 'no',
      code: 'HANDSHAKE_NO_SSL_SUPPORT',
    });
  },
  120_000,
);

async function readAll(session: Session): Promise<void> {
  const text =
    'SELECT a.* FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b, information_schema.COLLATIONS c';
  for await (const rows of session.stream!({ text, values: [] }, 100)) {
    if (rows.length === 0) throw new Error('An empty batch.');
  }
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    return mysqlDriver.classify(error);
  }
  throw new Error('Nothing failed.');
}
