import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, type ServerKind, startEngines, startServer } from '@dal/testing/servers';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

// The plain drivers, as the driver packages have them: no code of ours stands between.
const from = (folder: string) =>
  createRequire(new URL(`../../drivers/${folder}/package.json`, import.meta.url));
type Row = Record<string, unknown>;
type Tls = { ca: string; cert: string; key: string; rejectUnauthorized: true };
interface Client {
  query(text: string): Promise<Row[]>;
  end(): Promise<unknown>;
}

async function connectTo({ kind, url }: Server, ssl?: Tls): Promise<Client> {
  if (kind === 'postgres') {
    const { Client: PgClient } = from('postgres')('pg');
    const client = new PgClient({ connectionString: url, ssl });
    client.on('error', () => undefined);
    await client.connect();
    return { query: async (text) => (await client.query(text)).rows, end: () => client.end() };
  }
  const { createConnection } = from('mysql')('mysql2/promise');
  const client = await createConnection({ uri: url.replace('mariadb:', 'mysql:'), ssl });
  client.on('error', () => undefined);
  return { query: async (text) => (await client.query(text))[0], end: () => client.end() };
}

async function ask(server: Server, text: string, ssl?: Tls): Promise<Row[]> {
  const client = await connectTo(server, ssl);
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return true;
}

const KINDS: ServerKind[] = ['postgres', 'mysql', 'mariadb'];
// Which words it is depends on what the client notices first.
const CONNECTION_LOST = /clos|terminat|kill|reset|ended|lost|not queryable/i;
const LIMIT: Record<ServerKind, string> = {
  postgres: "select current_setting('max_connections') as n",
  mysql: 'select @@max_connections as n',
  mariadb: 'select @@max_connections as n',
};
const CIPHER: Record<ServerKind, string> = {
  // The name of the client is only there when its certificate was checked too.
  postgres: `select cipher as "Value" from pg_stat_ssl
    where pid = pg_backend_pid() and client_dn = '/CN=dal'`,
  mysql: "show status like 'Ssl_cipher'",
  mariadb: "show status like 'Ssl_cipher'",
};

describe.each(KINDS)('%s', (kind) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(kind, { own: true });
    await ask(server, 'create table kept (id integer primary key)');
  }, 300_000);
  afterAll(() => server?.close());

  test('answers at its address, with the version that it names', async () => {
    const [row] = await ask(server, 'select version() as version');
    expect(row?.['version']).toContain(server.version);
    expect(server.version).toMatch(/^\d+\.\d+/);
  });

  test('its user may see and end the sessions of others', async () => {
    const one = await connectTo(server);
    const ownId = kind === 'postgres' ? 'pg_backend_pid()' : 'connection_id()';
    const [row] = await one.query(`select ${ownId} as id`);
    const end = kind === 'postgres' ? 'select pg_terminate_backend' : 'kill ';
    await ask(server, `${end}(${Number(row?.['id'])})`.replace('kill (', 'kill (0+'));
    await expect(one.query('select 1')).rejects.toThrow(CONNECTION_LOST);
    await one.end().catch(() => undefined);
  });

  test('a frozen server keeps its connections and says nothing until it thaws', async () => {
    const client = await connectTo(server);
    await server.freeze();
    const answer = client.query('select 7 as n');
    const first = await Promise.race([answer, sleep(200, 'silence')]);
    const newcomer = connectTo(server);
    const second = await Promise.race([newcomer, sleep(100, 'silence')]);
    await server.thaw();
    expect([first, second]).toEqual(['silence', 'silence']);
    expect(await answer).toEqual([{ n: 7 }]);
    await (await newcomer).end();
    await client.end();
  });

  test('a killed server comes back on its port with every acknowledged commit', async () => {
    const client = await connectTo(server);
    const { port } = server;
    for (let id = 1; id <= 50; id++) await client.query(`insert into kept values (${id})`);
    await server.kill();
    await expect(client.query('select 1')).rejects.toThrow(CONNECTION_LOST);
    await expect(connectTo(server)).rejects.toThrow(/ECONNREFUSED/);
    expect(server.pid).toBeUndefined();
    await server.start();
    expect(server.port).toBe(port);
    expect(await ask(server, 'select id from kept')).toHaveLength(50);
  });

  test('a frozen server can be killed, and a stopped one started', async () => {
    await server.freeze();
    await server.kill();
    await server.thaw();
    await server.start();
    await server.stop();
    await server.stop();
    await expect(connectTo(server)).rejects.toThrow(/ECONNREFUSED/);
    await server.start();
    await server.start();
    await server.restart();
    expect(await ask(server, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  test('close leaves no process and no folder', async () => {
    const { pid, logFile } = server;
    await server.close();
    await server.close();
    // A container has neither.
    expect([isRunning(pid), logFile !== undefined && existsSync(dirname(logFile))]).toEqual([
      false,
      false,
    ]);
    await expect(server.start()).rejects.toThrow('closed');
  });
});

describe.each(KINDS)('%s on demand', (kind) => {
  test('settings arrive, and connections are encrypted and checked', async () => {
    await using server = await startServer(kind, { settings: { max_connections: 23 }, tls: true });
    const tls: Tls = { ...server.tls!, rejectUnauthorized: true };
    const [limit] = await ask(server, LIMIT[kind], tls);
    expect(Number(limit?.['n'])).toBe(23);
    const [line] = await ask(server, CIPHER[kind], tls);
    expect(line?.['Value']).toMatch(/AES|CHACHA/);
    const { tls: other } = server;
    const stranger: Tls = { ...tls, ca: other!.cert };
    await expect(connectTo(server, stranger)).rejects.toThrow(/certificate/);
  }, 120_000);
});

test('a server dies with the process that started it, however that one dies', async () => {
  const code = `
    import { startServer } from '@dal/testing/servers';
    const { pid, logFile } = await startServer('postgres', { own: true });
    console.log(JSON.stringify({ pid, logFile }));
    setInterval(() => {}, 1_000);
  `;
  const runner = spawn(
    process.execPath,
    ['--conditions=@dal/source', '--input-type=module', '--eval', code],
    { cwd: dirname(import.meta.dirname), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(runner.stdout, 'data')) as [Buffer];
  const { pid, logFile } = JSON.parse(line.toString()) as { pid?: number; logFile?: string };
  runner.kill('SIGKILL');
  await once(runner, 'exit');
  if (pid === undefined || logFile === undefined) return;
  await expect.poll(() => existsSync(dirname(logFile)), { timeout: 5_000 }).toBe(false);
  await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
});

describe('environment', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('a named server is used, and left alone', async () => {
    await using real = await startServer('mariadb', { own: true });
    vi.stubEnv('DAL_TEST_MARIADB_URL', real.url);
    const named = await startServer('mariadb');
    expect(named).toMatchObject({ via: 'environment', url: real.url, version: real.version });
    expect(await ask(named, 'select 1 as n')).toEqual([{ n: 1 }]);
    await expect(named.kill()).rejects.toThrow('DAL_TEST_MARIADB_URL');
    await named.close();
    expect(await ask(real, 'select 1 as n')).toEqual([{ n: 1 }]);
    await using own = await startServer('mariadb', { own: true });
    expect(own.port).not.toBe(real.port);
  });

  test('a named server that does not answer is an error', async () => {
    vi.stubEnv('DAL_TEST_MYSQL_URL', 'mysql://a:b@127.0.0.1:1/x');
    await expect(startServer('mysql')).rejects.toThrow(/DAL_TEST_MYSQL_URL.*127\.0\.0\.1:1/);
  });

  test('DAL_TEST_ENGINES limits the engines, and a typing error is no way to skip one', async () => {
    vi.stubEnv('DAL_TEST_ENGINES', 'sqlite, postgres');
    const { engines, stop } = await startEngines();
    await stop();
    expect(engines.map(({ name }) => name)).toEqual(['postgres', 'sqlite']);
    expect(structuredClone(engines)).toEqual(engines);
    vi.stubEnv('DAL_TEST_ENGINES', 'postgers');
    await expect(startEngines()).rejects.toThrow('postgers');
  });
});

test('a server that cannot be had is an error that says what was tried', async () => {
  await expect(startServer('postgres', { version: '1.2' })).rejects.toThrow(
    /Could not start postgres 1\.2[^]*environment: [^]*docker: [^]*npm: [^]*DAL_TEST_POSTGRES_URL/,
  );
});
