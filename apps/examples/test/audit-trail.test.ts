import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createDatabase, type Database } from '@dal/factory';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

const program = join(import.meta.dirname, '../src/audit-trail/main.ts');
const json = { 'content-type': 'application/json' };

interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly body: Record<string, unknown>;
}

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let folder: string;
  let database: string;
  /** Looks at the tables, and knows nothing of entities. */
  let other: Database;
  let service: ChildProcess;
  let address: string;
  /** What the service complained of. */
  let errors = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-audit-trail-'));
    database = await emptyDatabase();
    other = await createDatabase(database, { pool: { max: 1 } });
    await start();
  });
  afterAll(async () => {
    service.kill('SIGKILL');
    await other.close();
    if (name !== 'sqlite') await admin(`DROP DATABASE dal_audit_trail${force}`);
    await rm(folder, { recursive: true, force: true });
  });

  const force = name === 'postgres' ? ' WITH (FORCE)' : '';

  async function admin(...statements: string[]): Promise<void> {
    await using db = await createDatabase(url, { pool: { max: 1 } });
    for (const statement of statements) await db.execute(statement);
  }

  async function emptyDatabase(): Promise<string> {
    if (name === 'sqlite') return `sqlite:${join(folder, 'trail.db')}`;
    await admin(
      `DROP DATABASE IF EXISTS dal_audit_trail${force}`,
      'CREATE DATABASE dal_audit_trail',
    );
    const own = new URL(url);
    own.pathname = '/dal_audit_trail';
    return own.href;
  }

  async function start(): Promise<void> {
    service = spawn(process.execPath, ['--conditions=@dal/source', program], {
      env: { ...process.env, DATABASE_URL: database, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    service.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const [line] = (await once(createInterface(service.stdout!), 'line')) as [string];
    address = /http:\S+/.exec(line)?.[0] ?? '';
    expect(address, line).toMatch(/:\d+$/);
  }

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await fetch(address + path, {
      method,
      headers: { ...json, 'x-user': 'ada', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return {
      status: answer.status,
      etag: answer.headers.get('etag'),
      body: (await answer.json()) as Record<string, unknown>,
    };
  }

  const make = async (title: string): Promise<string> =>
    String((await call('POST', '/documents', { title })).body['id']);

  test('a document lives: made, changed, deleted, restored, rolled back; all of it is remembered', async () => {
    const made = await call('POST', '/documents', { title: ' Plan ', labels: ['a', 'é'] });
    expect(made).toMatchObject({
      status: 201,
      etag: '"1"',
      body: { title: 'Plan', text: '', status: 'draft', labels: ['a', 'é'], created_by: 'ada' },
    });
    const path = `/documents/${String(made.body['id'])}`;
    expect((await call('GET', path)).body).toEqual(made.body);
    const bob = { 'x-user': 'bob', 'x-comment': 'it is time' };
    expect(await call('PATCH', path, { status: 'published' }, bob)).toMatchObject({
      status: 200,
      etag: '"2"',
      body: { title: 'Plan', status: 'published', labels: ['a', 'é'], updated_by: 'bob' },
    });
    expect(await call('DELETE', path, undefined, { 'x-user': 'eve' })).toMatchObject({
      status: 200,
    });
    expect((await call('GET', path)).status).toBe(404);
    expect((await call('DELETE', path)).status).toBe(404);
    expect(await call('POST', `${path}/restore`)).toMatchObject({ status: 200, etag: '"4"' });
    expect((await call('POST', `${path}/restore`)).status).toBe(404);
    expect(await call('POST', `${path}/rollback`, { version: 1 })).toMatchObject({
      status: 200,
      body: { status: 'draft', version: 5 },
    });

    const versions = await call('GET', `${path}/versions`);
    const told = (versions.body as unknown as Record<string, unknown>[]).map((one) => [
      one['version'],
      one['version_operation'],
      one['updated_by'],
      one['version_comment'],
      one['status'],
    ]);
    expect(told).toEqual([
      [5, 'rollback', 'ada', null, 'draft'],
      [4, 'restore', 'ada', null, 'published'],
      [3, 'delete', 'eve', null, 'published'],
      [2, 'update', 'bob', 'it is time', 'published'],
      [1, 'create', 'ada', null, 'draft'],
    ]);
    expect(await call('GET', `${path}/versions/2`)).toMatchObject({
      body: { status: 'published' },
    });
    expect((await call('GET', `${path}/versions?limit=2`)).body).toHaveLength(2);
    const actions = await call('GET', '/actions?user=bob');
    expect(actions.body).toMatchObject([{ user: 'bob', what: 'update', documentVersion: 2 }]);

    // The same by plain SQL.
    const id = made.body['id'];
    const row = await other.queryExactlyOne('SELECT * FROM documents WHERE id = ?', [id]);
    expect(row).toMatchObject({ title: 'Plan', status: 'draft', deleted_at: null });
    expect(Number(row['version'])).toBe(5);
    const count = (table: string, key: string): Promise<unknown> =>
      other.queryValue(`SELECT COUNT(*) FROM ${table} WHERE ${key} = ?`, [id]);
    // The row is the newest version, the history has all before it.
    expect(Number(await count('documents_history', 'id'))).toBe(4);
    expect(Number(await count('actions', 'document'))).toBe(5);
  });

  test('of two who saw the same version, one is told to look again', async () => {
    const path = `/documents/${await make('shared')}`;
    const seen = { 'if-match': '"1"' };
    const ends = await Promise.all(
      ['one', 'two', 'three'].map((title) => call('PATCH', path, { title }, seen)),
    );
    expect(ends.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412, 412]);
    expect((await call('GET', path)).body['version']).toBe(2);
  });

  test('many at once: a line in the journal for every version, and no other', async () => {
    const ids = await Promise.all(['x', 'y', 'z'].map(make));
    const calls = Array.from({ length: 45 }, (_, n) =>
      call('PATCH', `/documents/${ids[n % 3]}`, { text: `text ${n}` }),
    );
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
    const rows = await other.query<{ n: unknown }>(
      'SELECT document, COUNT(*) AS n, COUNT(DISTINCT documentVersion) AS v FROM actions GROUP BY document'.replace(
        'documentVersion',
        name === 'postgres' ? '"documentVersion"' : 'documentVersion',
      ),
    );
    const mine = rows.filter((row) =>
      ids.includes(String((row as { document?: unknown }).document)),
    );
    expect(mine.map((row) => [Number(row.n), Number((row as { v?: unknown }).v)])).toEqual([
      [16, 16],
      [16, 16],
      [16, 16],
    ]);
  });

  test('what is wrong is refused in words, and changes nothing', async () => {
    const id = await make('careful');
    const before = Number(await other.queryValue('SELECT COUNT(*) FROM documents_history'));
    const path = `/documents/${id}`;
    const sql = "'; DROP TABLE documents; --";
    for (const [status, words, ...asked] of [
      [401, 'X-User', 'POST', '/documents', { title: 'x' }, { 'x-user': '' }],
      [400, 'JSON', 'POST', '/documents', '{"title":'],
      [422, 'title', 'POST', '/documents', {}],
      [422, 'title', 'POST', '/documents', { title: 5 }],
      [422, 'colour', 'POST', '/documents', { title: 'x', colour: 'red' }],
      [422, 'status', 'PATCH', path, { status: 'lost' }],
      [422, 'id', 'PATCH', path, { id: 'other' }],
      [422, 'version', 'POST', `${path}/rollback`, { version: '1' }],
      [404, 'version 9', 'POST', `${path}/rollback`, { version: 9 }],
      [422, 'version', 'GET', `${path}/versions/one`],
      [404, '', 'GET', `${path}/versions/9`],
      [422, 'limit', 'GET', '/documents?limit=0'],
      [422, 'limit', 'GET', `/documents?limit=${encodeURIComponent(sql)}`],
      [422, 'status', 'GET', `/documents?status=${encodeURIComponent(sql)}`],
      [404, '', 'GET', `/documents/${encodeURIComponent(sql)}`],
      [404, '', 'PATCH', `/documents/${encodeURIComponent(sql)}`, { title: 'x' }],
      [422, 'version', 'PATCH', path, { title: 'x' }, { 'if-match': 'any' }],
      [400, 'encoded', 'GET', '/documents/%zz'],
      [404, '', 'GET', '/nothing'],
      [413, 'bytes', 'POST', '/documents', { title: 'x', text: 'y'.repeat(70_000) }],
    ] as const) {
      const [method, where, body, headers] = asked;
      const answer = await call(method, where, body, headers);
      expect(answer, `${method} ${where}`).toMatchObject({
        status,
        body: { error: expect.stringContaining(words) },
      });
    }
    expect(Number(await other.queryValue('SELECT COUNT(*) FROM documents_history'))).toBe(before);
    expect((await call('GET', '/documents?limit=100')).body).toContainEqual(
      expect.objectContaining({ id, title: 'careful', version: 1 }),
    );
    const hostile = await call('POST', '/documents', { title: sql }, { 'x-user': sql });
    expect(hostile).toMatchObject({ status: 201, body: { title: sql, created_by: sql } });
    expect((await call('GET', `/actions?user=${encodeURIComponent(sql)}`)).body).toHaveLength(1);
  });

  test('a signal: the request that runs is answered, and what was made is there afterwards', async () => {
    const id = await make('before the end');
    // A request whose body has not ended is one that runs.
    const slow = httpRequest(`${address}/documents`, {
      method: 'POST',
      headers: { 'x-user': 'eve' },
    });
    const answered = once(slow, 'response') as Promise<[{ statusCode: number; resume(): void }]>;
    slow.write('{"title":');
    await once(slow, 'socket');
    await call('GET', `/documents/${id}`);
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    const isTaken = (): Promise<boolean> =>
      fetch(`${address}/actions`).then(
        () => true,
        () => false,
      );
    await expect.poll(isTaken, { timeout: 10_000 }).toBe(false);
    slow.end('"in time"}');
    const [response] = await answered;
    expect(response.statusCode).toBe(201);
    response.resume();
    expect(await ended).toEqual([0, null]);
    // A warning would say that somebody had to be cut off.
    expect(errors).toBe('');
    await start();
    expect((await call('GET', `/documents/${id}`)).body).toMatchObject({ title: 'before the end' });
    expect(
      Number(await other.queryValue("SELECT COUNT(*) FROM documents WHERE title = 'in time'")),
    ).toBe(1);
  });
});
