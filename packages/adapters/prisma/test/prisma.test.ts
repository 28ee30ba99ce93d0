import { startFaultProxy } from '@dal/testing/faults';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Clients, openClients } from './clients.ts';
import { tables } from './models.ts';
import { scenario } from './scenario.ts';

describe.each(inject('engines'))('$name', (engine) => {
  let clients: Clients;

  beforeAll(async () => {
    clients = await openClients(engine);
  });
  afterAll(() => clients.opened.disposeAsync());

  const setUp = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- each needs the one before it
    for (const text of tables[clients.provider]!) await clients.db.execute(text);
  };

  test('a program sees what it sees with the adapter of Prisma', async () => {
    const { own, ours, provider, db } = clients;
    await setUp();
    const expected = await scenario(own, provider);
    await setUp();
    const seen = await scenario(ours, provider);
    expect(seen).toEqual(expected);
    await expect.poll(() => db.pool.stats()).toMatchObject({ lent: 0, leaked: 0 });
  });

  test.runIf(engine.name !== 'sqlite')(
    'a server that is away for a moment is waited for',
    async () => {
      await setUp();
      const { hostname, port } = new URL(engine.url);
      await using proxy = await startFaultProxy({ host: hostname, port: Number(port) });
      const { db, ours, own } = await clients.over(proxy.through(engine.url));
      await Promise.all([ours.user['count']!(), own.user['count']!()]);
      proxy.set('reset-on-accept');
      proxy.resetAll();
      await expect.poll(() => db.pool.stats().lostConnections).toBe(1);
      const answer = ours.$transaction(async (tx) => tx.user['count']!());
      const single = ours.user['count']!();
      // Those of MySQL are on their way for ten seconds.
      if (engine.name === 'postgres')
        await expect(own.user['count']!()).rejects.toMatchObject({ code: 'P1017' });
      await expect.poll(() => db.pool.stats().connectErrors).toBeGreaterThan(0);
      proxy.set('pass');
      expect(await Promise.all([answer, single])).toEqual([0, 0]);
      await expect.poll(() => db.pool.stats()).toMatchObject({ lent: 0 });
    },
  );

  test.runIf(engine.name !== 'sqlite')('a transaction is killed: nothing of it stays', async () => {
    await setUp();
    const { db, ours } = clients;
    const killed = ours.$transaction(async (tx) => {
      await tx.user['create']!({ data: { email: 'half', joined: new Date() } });
      const [row] = await tx.$queryRawUnsafe(sessions[engine.name]!.id);
      await db.execute(sessions[engine.name]!.kill(Object.values(row!)[0]));
      await tx.user['create']!({ data: { email: 'whole', joined: new Date() } });
    });
    await expect(killed).rejects.toMatchObject({ code: expect.stringMatching(/^P10(01|17)$/) });
    // The server may need a moment to end the session.
    await expect.poll(() => ours.user['count']!().catch(String)).toBe(0);
    await expect.poll(() => db.pool.stats()).toMatchObject({ lent: 0 });
  });

  test.runIf(engine.name !== 'sqlite')('a deadlock is the write conflict of Prisma', async () => {
    await setUp();
    const { ours, db } = clients;
    const joined = new Date();
    await ours.user['createMany']!({ data: [1, 2].map((n) => ({ email: `${n}`, joined })) });
    const meeting = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const crossing = (mine: 0 | 1): Promise<unknown> =>
      ours.$transaction(async (tx) => {
        const touch = (id: number): Promise<unknown> =>
          tx.user['update']!({ where: { id }, data: { name: 'x' } });
        await touch(mine + 1);
        meeting[mine].resolve();
        await meeting[1 - mine]!.promise;
        await touch(2 - mine);
      });
    const ends = await Promise.allSettled([crossing(0), crossing(1)]);
    const [failed] = ends.filter(({ status }) => status === 'rejected');
    expect(failed).toMatchObject({ reason: { code: 'P2034' } });
    await expect.poll(() => db.pool.stats()).toMatchObject({ lent: 0 });
  });

  test("the layer's own limits have codes of Prisma, and its other errors stay themselves", async () => {
    await setUp();
    const place = engine.name === 'sqlite' ? clients.place : engine.url;
    const options = { pool: { max: 1, maxWaiting: 1 }, statementTimeoutMs: 500 };
    const { db, ours } = await clients.over(place, options);
    await db.connect();
    const long = ours.$queryRawUnsafe(sessions[engine.name]!.long).catch((error: unknown) => error);
    await expect.poll(() => db.pool.stats().lent).toBe(1);
    const waiting = ours.user['count']!().catch((error: unknown) => error);
    await expect.poll(() => db.pool.stats().waiting).toBe(1);
    await expect(ours.user['count']!()).rejects.toMatchObject({ code: 'P2037' });
    expect(await long).toMatchObject({
      meta: { driverAdapterError: { cause: { kind: 'SocketTimeout' } } },
    });
    await waiting;
    await db.close({ force: true });
    await expect(ours.user['count']!()).rejects.toMatchObject({ code: 'DAL_CLOSED' });
  });
});

const mysqlSessions = {
  id: 'SELECT CONNECTION_ID()',
  kill: (id: unknown) => `KILL ${String(id)}`,
  long: 'SELECT SLEEP(30)',
};

const sessions: Readonly<Record<string, typeof mysqlSessions>> = {
  postgres: {
    id: 'SELECT pg_backend_pid()',
    kill: (id) => `SELECT pg_terminate_backend(${String(id)})`,
    long: 'SELECT pg_sleep(30)::text',
  },
  mysql: mysqlSessions,
  mariadb: mysqlSessions,
  sqlite: {
    ...mysqlSessions,
    long: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
  },
};
