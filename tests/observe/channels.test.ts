import { AsyncLocalStorage } from 'node:async_hooks';
import type { Channel, TracingChannel } from 'node:diagnostics_channel';
import { channels, observedPools } from '@dal/core';
import { createDatabase } from '@dal/factory';
import { afterEach, describe, expect, inject, test } from 'vitest';

const request = new AsyncLocalStorage<string>();
const undo: (() => void)[] = [];

afterEach(() => {
  for (const stop of undo.splice(0)) stop();
});

/** Everything that one channel says, and in whose request. */
function listen<Message extends object>(
  channel: TracingChannel<Message, Message>,
  name?: string,
): { told: string[]; messages: Message[]; requests: (string | undefined)[] } {
  const heard = { told: [] as string[], messages: [] as Message[], requests: [] as never[] };
  const requests: (string | undefined)[] = heard.requests;
  const note = (step: string) => (message: Message) => {
    const { database } = message as { database?: { name: string } };
    if (name !== undefined && database?.name !== name) return;
    heard.told.push(step);
    if (step === 'start') heard.messages.push(message);
    requests.push(request.getStore());
  };
  const listeners = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  } as never;
  channel.subscribe(listeners);
  undo.push(() => channel.unsubscribe(listeners));
  return heard;
}

describe.each(inject('engines'))('$name', ({ url, name: engine }) => {
  const name = `watched ${engine}`;

  test('a call, its attempt and its wait are told, without values', async () => {
    await using db = await createDatabase(url, { name });
    const calls = listen(channels.query, name);
    const attempts = listen(channels.attempt, name);
    const acquires = listen(channels.acquire);

    const tags = { route: 'home' };
    await request.run('r1', () => db.query('SELECT ? AS secret', ['s3cret'], { tags }));

    expect(calls.told).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(calls.requests).toEqual(['r1', 'r1', 'r1', 'r1']);
    const [call] = calls.messages;
    expect(call).toMatchObject({
      statement: 'SELECT ? AS secret',
      kind: 'statement',
      tags,
      result: { rowCount: 1, affectedRows: 0 },
      durationMs: expect.any(Number),
    });
    expect(attempts.messages).toHaveLength(1);
    expect(attempts.messages[0]?.parent).toBe(call);
    expect(acquires.messages.map(({ parent }) => parent)).toEqual([call]);
    expect(
      JSON.stringify(call, (key, value: unknown) => (key === 'pool' ? '' : value)),
    ).not.toMatch(/s3cret/);
    expect(call?.database.pool.server.system).toBe(engine === 'postgres' ? 'postgresql' : engine);
  });

  test('an error is told as the error that the caller gets', async () => {
    await using db = await createDatabase(url, { name });
    const calls = listen(channels.query, name);
    const error: unknown = await db.query('SELECT * FROM no_such_table').catch((e: unknown) => e);
    expect(calls.told).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(calls.messages[0]?.error).toBe(error);
  });

  test('statements know their transaction, and each request hears only of itself', async () => {
    await using db = await createDatabase(url, {
      name,
      pool: { max: engine === 'sqlite' ? 1 : 3 },
    });
    const transactions = listen(channels.transaction, name);
    const calls = listen(channels.query, name);
    const attempts = listen(channels.attempt, name);
    const seen = new Map<unknown, string | undefined>();
    const note = (message: object): void => void seen.set(message, request.getStore());
    channels.query.start.subscribe(note as never);
    undo.push(() => channels.query.start.unsubscribe(note as never));
    const ends: boolean[] = [];
    const end = (message: unknown): void => {
      if (seen.has(message)) ends.push(seen.get(message) === request.getStore());
    };
    channels.query.asyncEnd.subscribe(end);
    undo.push(() => channels.query.asyncEnd.unsubscribe(end));

    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        request.run(`request ${index}`, () =>
          db.transaction(async (tx) => {
            await tx.query('SELECT ? AS a', [index]);
            await tx.query('SELECT ? AS b', [index]);
          }),
        ),
      ),
    );

    expect(transactions.messages).toHaveLength(60);
    expect(transactions.messages.every(({ attempts: count }) => count === 1)).toBe(true);
    for (const transaction of transactions.messages) {
      const own = calls.messages.filter(({ parent }) => parent === transaction);
      expect(own.map(({ statement }) => statement)).toEqual(['SELECT ? AS a', 'SELECT ? AS b']);
      // BEGIN and COMMIT are the transaction's own.
      expect(attempts.messages.filter(({ parent }) => parent === transaction).length).toBe(2);
    }
    expect(ends).toHaveLength(120);
    expect(ends.every(Boolean)).toBe(true);
  });

  test('many rows, one call', async () => {
    await using db = await createDatabase(url, { name, pool: { max: 2 } });
    await db.execute('DROP TABLE IF EXISTS watched_rows');
    await db.execute('CREATE TABLE watched_rows (id int PRIMARY KEY)');
    const calls = listen(channels.query, name);
    await db.bulkInsert('watched_rows', [{ id: 1 }, { id: 2 }]);
    await db.executeMany('INSERT INTO watched_rows VALUES (?)', [[3], [4]]);
    let rows = 0;
    for await (const batch of db.stream('SELECT id FROM watched_rows')) rows += batch.length;
    expect(rows).toBe(4);
    expect(calls.messages.map(({ kind, result }) => [kind, result])).toEqual([
      ['bulk', { rowCount: 0, affectedRows: 2 }],
      ['many', { rowCount: 0, affectedRows: 2, operations: 2 }],
      ['stream', { rowCount: 4, affectedRows: 0 }],
    ]);
    await db.execute('DROP TABLE watched_rows');
  });

  test('connections are told of from the first attempt to the end', async () => {
    const db = await createDatabase(url, { name, shared: false });
    const connects = listen(channels.connect);
    const releases = hear(channels.release);
    const ends = hear(channels.destroy);
    expect([...observedPools].some((pool) => pool.view === db.pool)).toBe(false);
    await db.query('SELECT 1');
    expect([...observedPools].some((pool) => pool.view === db.pool)).toBe(true);
    const { stats } = db.pool;
    expect(connects.told).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(connects.messages[0]?.durationMs).toBeCloseTo(stats.call(db.pool).create.sumMs, -2);
    expect(releases).toHaveLength(1);
    await db.close();
    expect(ends.map(({ reason }) => reason)).toEqual(['closing']);
    expect([...observedPools].some((pool) => pool.view === db.pool)).toBe(false);
  });

  test('listening does not stand in the stacks of those who hold connections', async () => {
    await using db = await createDatabase(url, { name, pool: { acquireStacks: 'always' } });
    listen(channels.acquire);
    await using connection = await db.acquire();
    await connection.query('SELECT 1');
    expect(db.pool.holders()[0]?.stack).toMatch(/^[^\n]*channels\.test\.ts/);
  });

  test('a slow call is told once, with the line that made it', async () => {
    await using db = await createDatabase(url, { name, slowQueryMs: 20 });
    await db.query('SELECT 1');
    const slow = hear(channels.slowQuery);
    const hooked: string[] = [];
    db.hooks.on('slowQuery', ({ stack }) => hooked.push(stack));

    await db.transaction(async (tx) => {
      // Waits behind the other one, for as long as that takes.
      await Promise.all([pause(40).then(() => tx.query('SELECT 2')), slowStatement(tx)]);
    });
    expect(slow.length).toBeGreaterThan(0);
    const [first] = slow;
    expect(first?.durationMs).toBeGreaterThanOrEqual(20);
    expect(first?.stack).toContain('slowStatement');
    expect(first?.stack).toContain('channels.test.ts');
    expect(hooked[0]).toBe(first?.stack);
  });
});

function hear<Message>(channel: Channel<Message, Message>): Message[] {
  const heard: Message[] = [];
  const note = (message: unknown): void => void heard.push(message as Message);
  channel.subscribe(note);
  undo.push(() => channel.unsubscribe(note));
  return heard;
}

/** Slow on every engine, without its words for sleeping. */
async function slowStatement(db: { query(text: string): Promise<unknown> }): Promise<void> {
  await db.query(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT COUNT(*) FROM n a, n b WHERE a.i + b.i < 0',
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
