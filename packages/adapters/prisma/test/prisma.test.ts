import { startFaultProxy } from '@dal/testing/faults';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { outside, type Outside, words } from '../../../../tests/setup/outside.ts';
import { startCommitProxy } from '../../../../tests/transactions/commit-proxy.ts';
import { type Clients, openClients } from './clients.ts';
import { type PrismaClient, tables } from './models.ts';
import { scenario } from './scenario.ts';

describe.each(inject('engines'))('$name', (engine) => {
  let clients: Clients;
  let server: Outside;
  // Of MySQL and MariaDB, which share driver and adapter, one will do.
  const meetsFaults = engine.name === 'postgres' || engine.name === 'mysql';

  beforeAll(async () => {
    clients = await openClients(engine);
    server = await outside(engine);
    await setUp();
  });
  afterEach(async () => {
    await expect
      .poll(() => clients.db.pool.stats(), { timeout: 10_000 })
      .toMatchObject({ lent: 0, leaked: 0 });
    await clients.db.execute('DELETE FROM prisma_posts');
    await clients.db.execute('DELETE FROM prisma_users');
  });
  afterAll(async () => {
    await clients.opened.disposeAsync();
    await server[Symbol.asyncDispose]();
  });

  const setUp = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- each needs the one before it
    for (const text of tables[clients.provider]!) await clients.db.execute(text);
  };

  /** The server's number of the session that this runs on. */
  const sessionOf = async (on: PrismaClient): Promise<unknown> => {
    const [row] = await on.$queryRawUnsafe(words[engine.name].id);
    return Object.values(row!)[0];
  };

  test('a program sees what it sees with the adapter of Prisma', async () => {
    const { own, ours, provider } = clients;
    await setUp();
    const expected = await scenario(own, provider);
    await setUp();
    const seen = await scenario(ours, provider);
    expect(seen).toEqual(expected);
  });

  test.runIf(meetsFaults)('a server that is away for a moment is waited for', async () => {
    const { hostname, port } = new URL(engine.url);
    await using proxy = await startFaultProxy({ host: hostname, port: Number(port) });
    const { db, ours, own } = await clients.over(proxy.through(engine.url));
    await Promise.all([ours.user['count']!(), own.user['count']!()]);
    proxy.set('reset-on-accept');
    proxy.resetAll();
    await expect.poll(() => db.pool.stats().lostConnections, { timeout: 10_000 }).toBe(1);
    // Prisma itself waits for two seconds by default.
    const patience = { maxWait: 10_000, timeout: 10_000 };
    const answer = ours.$transaction(async (tx) => tx.user['count']!(), patience);
    const single = ours.user['count']!();
    // Those of MySQL are on their way for ten seconds.
    if (engine.name === 'postgres')
      await expect(own.user['count']!()).rejects.toMatchObject({ code: 'P1017' });
    await expect.poll(() => db.pool.stats().connectErrors, { timeout: 10_000 }).toBeGreaterThan(0);
    proxy.set('pass');
    expect(await Promise.all([answer, single])).toEqual([0, 0]);
    await expect.poll(() => db.pool.stats(), { timeout: 10_000 }).toMatchObject({ lent: 0 });
  });

  test.runIf(meetsFaults)('a transaction is killed: nothing of it stays', async () => {
    const { ours } = clients;
    const killed = ours.$transaction(async (tx) => {
      await tx.user['create']!({ data: { email: 'half', joined: new Date() } });
      await server.kill(await sessionOf(tx));
      await tx.user['create']!({ data: { email: 'whole', joined: new Date() } });
    });
    await expect(killed).rejects.toMatchObject({ code: expect.stringMatching(/^P10(01|17)$/) });
    expect(await ours.user['count']!()).toBe(0);
  });

  test.runIf(meetsFaults)('a session is killed while it rests: the next query works', async () => {
    const { db, ours } = clients;
    const { lostConnections } = db.pool.stats();
    await server.kill(await sessionOf(ours));
    await expect
      .poll(() => db.pool.stats().lostConnections, { timeout: 10_000 })
      .toBeGreaterThan(lostConnections);
    expect(await ours.user['count']!()).toBe(0);
  });

  test.runIf(engine.name === 'postgres')(
    'the answer to COMMIT is lost: it is looked up',
    async () => {
      await using proxy = await startCommitProxy(Number(new URL(engine.url).port));
      const place = new URL(proxy.through(engine.url));
      place.searchParams.set('sslmode', 'disable');
      const { ours } = await clients.over(place.href);
      await ours.$transaction(async (tx) => {
        await tx.user['create']!({ data: { email: 'once', joined: new Date() } });
        proxy.arm({ down: 0 });
      });
      expect(await clients.ours.user['count']!()).toBe(1);
    },
  );

  test.runIf(meetsFaults)('a deadlock is the write conflict of Prisma', async () => {
    const { ours } = clients;
    const joined = new Date();
    await ours.user['createMany']!({ data: [1, 2].map((n) => ({ email: `${n}`, joined })) });
    const meeting = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const crossing = (mine: 0 | 1): Promise<unknown> =>
      ours.$transaction(async (tx) => {
        const touch = (n: number): Promise<unknown> =>
          tx.user['update']!({ where: { email: `${n}` }, data: { name: 'x' } });
        await touch(mine + 1);
        meeting[mine].resolve();
        await meeting[1 - mine]!.promise;
        await touch(2 - mine);
      });
    const ends = await Promise.allSettled([crossing(0), crossing(1)]);
    const [failed] = ends.filter(({ status }) => status === 'rejected');
    expect(failed).toMatchObject({ reason: { code: 'P2034' } });
  });

  test("the layer's own limits have codes of Prisma, and its other errors stay themselves", async () => {
    const place = engine.name === 'sqlite' ? clients.place : engine.url;
    const options = { pool: { max: 1, maxWaiting: 1 }, statementTimeoutMs: 500 };
    const { db, ours } = await clients.over(place, options);
    await db.connect();
    const long = ours
      .$queryRawUnsafe(words[engine.name].long('late'))
      .catch((error: unknown) => error);
    await expect.poll(() => db.pool.stats().lent, { timeout: 10_000 }).toBe(1);
    const waiting = ours.user['count']!().catch((error: unknown) => error);
    await expect.poll(() => db.pool.stats().waiting, { timeout: 10_000 }).toBe(1);
    await expect(ours.user['count']!()).rejects.toMatchObject({ code: 'P2037' });
    expect(await long).toMatchObject({
      meta: { driverAdapterError: { cause: { kind: 'SocketTimeout' } } },
    });
    await waiting;
    await db.close({ force: true });
    await expect(ours.user['count']!()).rejects.toMatchObject({ code: 'DAL_CLOSED' });
  });
});
