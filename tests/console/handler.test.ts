// Who gets what from the console, without a browser.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { channels, observedPools } from '@dal/core';
import { consoleHandler, type ConsoleOptions, startConsole } from '@dal/console';
import { createDatabase } from '@dal/factory';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { ask, tokenOf, watchFor } from './ask.ts';
import { stuckOn } from './stuck-statement.ts';

const engines = inject('engines');
const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** The handler in a server of a program, at all addresses of the machine. */
async function mount(options?: ConsoleOptions, host = '127.0.0.1'): Promise<string> {
  const handler = consoleHandler(options);
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  undo.push(() => {
    handler.close();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('who may see it', () => {
  test('this machine, asked for by its own name', async () => {
    const url = await mount();
    const { port } = new URL(url);
    expect((await ask(`${url}/`)).status).toBe(200);
    expect((await ask(`${url}/`, { host: `localhost:${port}` })).status).toBe(200);
    expect((await ask(`${url}/`, { host: `[::1]:${port}` })).status).toBe(200);
    for (const host of [`evil.example:${port}`, `127.0.0.1.evil.example:${port}`]) {
      expect(await ask(`${url}/`, { host }), host).toMatchObject({ status: 403 });
    }
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
      expect((await ask(`${url}/events`, { [header]: '127.0.0.1' })).status, header).toBe(403);
    }
  });

  test('another address needs authorize', async () => {
    for (const host of ['0.0.0.0', '::', 'example.org', '192.168.0.1']) {
      await expect(startConsole({ host, port: 0 })).rejects.toMatchObject({
        code: 'DAL_CONSOLE_OPEN',
      });
    }
    await using ipv6 = await startConsole({ host: '::1', port: 0 }).catch(() => undefined);
    if (ipv6) expect(await ask(ipv6.url)).toMatchObject({ status: 200 });
  });

  const [outside] = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
  );

  test.skipIf(outside === undefined)('a handler mounted for all is closed to others', async () => {
    const url = await mount({}, '0.0.0.0');
    const { port } = new URL(url);
    const there = `http://${outside?.address}:${port}`;
    expect(await ask(`${there}/`, { host: `localhost:${port}` })).toMatchObject({ status: 403 });
    expect(await ask(`${url}/`)).toMatchObject({ status: 200 });
  });

  test('authorize decides for every request, and only clear words count', async () => {
    const seen: (string | undefined)[] = [];
    const url = await mount({
      authorize: async ({ headers, url: asked }) => {
        seen.push(asked);
        if (headers['x-who'] === 'broken') throw new Error('no session');
        return (headers['x-who'] === 'yes' ? true : headers['x-who']) as 'look';
      },
    });
    const statusFor = async (who: string): Promise<number | undefined> =>
      (await ask(`${url}/`, { 'x-who': who, host: 'console.example' })).status;
    expect(await statusFor('look')).toBe(200);
    expect(await statusFor('act')).toBe(200);
    expect(await statusFor('yes')).toBe(403);
    expect(await statusFor('broken')).toBe(403);
    expect((await ask(`${url}/`)).status).toBe(403);
    expect(seen).toHaveLength(5);
  });
});

describe('actions', () => {
  const body = JSON.stringify({ stop: ['1'] });

  test('are off unless asked for', async () => {
    const url = await mount();
    const headers = { origin: url, 'x-dal-token': await tokenOf(url) };
    const answer = await ask(`${url}/stop`, headers, { method: 'POST', body });
    expect(answer).toMatchObject({
      status: 403,
      text: expect.stringContaining('not stop') as string,
    });
    expect((await watchFor(url, () => true)).mayAct).toBe(false);
  });

  test('need the page: its origin, its token, its words', async () => {
    const url = await mount({ actions: true });
    const token = await tokenOf(url);
    expect(token.length).toBeGreaterThan(20);
    const right = { origin: url, 'x-dal-token': token };
    const post = async (
      headers: Record<string, string>,
      text = body,
    ): Promise<number | undefined> =>
      (await ask(`${url}/stop`, headers, { method: 'POST', body: text })).status;
    expect(await post(right)).toBe(200);
    expect(await post({ 'x-dal-token': token })).toBe(403);
    expect(await post({ ...right, origin: 'http://evil.example' })).toBe(403);
    expect(await post({ ...right, origin: 'null' })).toBe(403);
    expect(await post({ ...right, 'x-dal-token': 'a'.repeat(token.length) })).toBe(403);
    expect(await post({ origin: url })).toBe(403);
    expect(await post({ ...right, 'sec-fetch-site': 'cross-site' })).toBe(403);
    for (const text of ['', '{', '{}', '{"stop":[]}', '{"stop":[1]}', '{"stop":"1"}']) {
      expect(await post(right, text), text).toBe(400);
    }
    expect(await post(right, JSON.stringify({ stop: ['x'.repeat(10_000)] }))).toBe(400);
    expect(await post(right, JSON.stringify({ stop: Array(51).fill('1') }))).toBe(400);
    expect((await ask(`${url}/stop`)).status).toBe(405);
    expect((await ask(`${url}/`, right, { method: 'POST', body })).status).toBe(405);
  });
});

describe('answers', () => {
  test('a policy that lets nothing in but its own script and style', async () => {
    const url = await mount();
    const first = await fetch(url);
    const text = await first.text();
    const policy = first.headers.get('content-security-policy') ?? '';
    const [, nonce = ''] = /script-src 'nonce-([\w-]+)'/.exec(policy) ?? [];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(text.match(/<(script|style)\b[^>]*>/g)).toEqual([
      `<style nonce="${nonce}">`,
      `<script nonce="${nonce}">`,
    ]);
    expect(text).not.toMatch(/\son\w+=|https?:\/\/(?!www\.w3\.org\/2000\/svg)|\{\{|style=/);
    expect((await fetch(url)).headers.get('content-security-policy')).not.toBe(policy);
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(first.headers.get('x-frame-options')).toBe('DENY');
  });

  test('at the path that it is mounted at, and nowhere else', async () => {
    const url = await mount({ path: '/ops/dal' });
    for (const path of ['/ops/dal', '/ops/dal/', '/ops/dal?x=1', '/']) {
      expect((await ask(`${url}${path}`)).status, path).toBe(200);
    }
    for (const path of ['/ops', '/ops/dalx', '/ops/dal/../../etc/passwd', '/favicon.ico']) {
      expect((await ask(`${url}${path}`)).status, path).toBe(404);
    }
  });

  test('twenty pages at most, and the next one when one has gone', async () => {
    const url = await mount();
    const stops = Array.from({ length: 20 }, () => new AbortController());
    const open = await Promise.all(
      stops.map(({ signal }) => fetch(`${url}/events`, { signal }).then(({ status }) => status)),
    );
    expect(new Set(open)).toEqual(new Set([200]));
    expect((await ask(`${url}/events`)).status).toBe(503);
    stops[0]?.abort();
    await expect
      .poll(async () => {
        const stop = new AbortController();
        const { status } = await fetch(`${url}/events`, { signal: stop.signal });
        stop.abort();
        return status;
      })
      .toBe(200);
    for (const stop of stops) stop.abort();
  });

  test('wrong options are refused by name', () => {
    expect(() => consoleHandler({ action: true } as never)).toThrow('Did you mean "actions"?');
    expect(() => consoleHandler({ path: 'dal' })).toThrow('consoleHandler.path');
    expect(() => consoleHandler({ authorize: 'me' as never })).toThrow('consoleHandler.authorize');
    expect(() => consoleHandler({ authorize: () => 'look', actions: true })).toThrow('authorize');
  });
});

test('close() ends the streams and every subscription', async () => {
  const listeners = (): boolean[] =>
    Object.values(channels).map(({ hasSubscribers }) => hasSubscribers);
  const before = listeners();
  const handler = consoleHandler();
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(channels.attempt.hasSubscribers).toBe(true);
  const stream = ask(`${url}/events`);
  await expect.poll(() => observedPools.size >= 0).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 200));
  handler.close();
  handler.close();
  expect(await stream).toMatchObject({ status: 200 });
  expect((await ask(url)).status).toBe(503);
  expect(listeners()).toEqual(before);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test.each(engines)(
  '$name: stops a running statement by its id, once',
  async ({ name, url: database }) => {
    await using db = await createDatabase(database, { name: `ids ${name}`, shared: false });
    const url = await mount({ actions: true });
    const { text } = stuckOn(database);
    // In a transaction, so that what it leaves behind is seen too.
    const ended = db
      .transaction((tx) => tx.query(text))
      .then(
        () => 'answered',
        ({ code, kind }: { code: string; kind: string }) => [kind, code],
      );
    const { snapshot } = await watchFor(url, ({ snapshot: { running } }) => running.length > 0);
    const [{ id, text: shown } = { id: '', text: '' }] = snapshot.running;
    expect(shown).not.toContain('60');
    const headers = { origin: url, 'x-dal-token': await tokenOf(url) };
    const stop = async (): Promise<string> => {
      const wish = { method: 'POST', body: JSON.stringify({ stop: [id] }) };
      return (await ask(`${url}/stop`, headers, wish)).text;
    };
    expect(await stop()).toBe('{"stopped":1}');
    expect(await ended).toEqual(['cancelled', 'DAL_STOPPED']);
    expect(await stop()).toBe('{"stopped":0}');
    expect(await db.queryValue('SELECT 7')).toBe(7);
    expect(db.pool.stats().lent).toBe(0);
  },
);

test.skipIf(engines.length === 0)('a stream is among what runs, and can be stopped', async () => {
  const [{ url: database }] = engines as [(typeof engines)[number]];
  await using db = await createDatabase(database, { name: 'streaming', shared: false });
  const url = await mount({ actions: true });
  const ended = (async () => {
    for await (const rows of db.stream(stuckOn(database).text)) expect(rows).toBeDefined();
  })().catch(({ code }: { code: string }) => code);
  const isStream = ({ kind }: { kind: string }): boolean => kind === 'stream';
  const { snapshot } = await watchFor(url, ({ snapshot: { running } }) => running.some(isStream));
  const headers = { origin: url, 'x-dal-token': await tokenOf(url) };
  const stop = [snapshot.running.find(isStream)?.id];
  const wish = { method: 'POST', body: JSON.stringify({ stop }) };
  expect((await ask(`${url}/stop`, headers, wish)).text).toBe('{"stopped":1}');
  expect(await ended).toBe('DAL_STOPPED');
});
