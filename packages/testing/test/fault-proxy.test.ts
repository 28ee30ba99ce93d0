import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultProxy, startFaultProxy } from '@dal/testing/faults';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A client that remembers what it has read and how it ended. */
class Client {
  readonly socket: Socket;
  received = '';
  /** `'end'`, or the code of an error. */
  fate: string | undefined;
  readonly ended: Promise<string>;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => (this.received += text));
    this.ended = new Promise((resolve) => {
      this.socket.once('end', () => resolve('end'));
      this.socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
    void this.ended.then((fate) => (this.fate = fate));
  }

  /** Everything received so far, once it is that much. */
  async reads(length: number): Promise<string> {
    while (this.received.length < length) await once(this.socket, 'data');
    return this.received;
  }

  /** Sends something and waits for its echo. */
  exchange(text: string): Promise<string> {
    const before = this.received.length;
    this.socket.write(text);
    return this.reads(before + text.length);
  }
}

let echo: Server;
let heard: string;
let echoSockets: Set<Socket>;
let proxy: FaultProxy;
let clients: Client[];

function open(): Client {
  const client = new Client(proxy.port);
  clients.push(client);
  return client;
}

beforeEach(async () => {
  heard = '';
  echoSockets = new Set();
  clients = [];
  echo = createServer({ noDelay: true }, (socket) => {
    echoSockets.add(socket);
    socket.on('close', () => echoSockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      socket.write(bytes);
    });
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startFaultProxy({ port: (echo.address() as { port: number }).port });
});

afterEach(async () => {
  await proxy.close();
  for (const client of clients) client.socket.destroy();
  for (const socket of echoSockets) socket.destroy();
  await new Promise((resolve) => echo.close(resolve));
});

test('bytes pass in both directions and are counted', async () => {
  const client = open();
  await client.exchange('hello');
  expect(proxy.counts).toEqual({ open: 1, accepted: 1, bytesUp: 5, bytesDown: 5 });
  expect(proxy.portsToServer).toEqual([...echoSockets].map(({ remotePort }) => remotePort));
  client.socket.end();
  expect(await client.ended).toBe('end');
  await expect.poll(() => proxy.counts.open).toBe(0);
});

test('much more than fits into any buffer arrives complete and in order', async () => {
  const client = open();
  const text = Array.from({ length: 400_000 }, (_, index) => `${index};`).join('');
  client.socket.write(text);
  await expect.poll(() => client.received.length, { timeout: 10_000 }).toBe(text.length);
  expect(client.received === text).toBe(true);
});

test('an address can be led through the proxy', () => {
  expect(proxy.through('postgres://me:pw@db.example:5432/x?a=1')).toBe(
    `postgres://me:pw@127.0.0.1:${proxy.port}/x?a=1`,
  );
});

test('an address can move to another server; what is open stays where it is', async () => {
  const other = createServer((socket) => {
    socket.on('error', () => undefined).end('the other one');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const before = open();
  await before.exchange('a');
  proxy.leadTo({ port: (other.address() as { port: number }).port });
  expect(await before.exchange('b')).toBe('ab');
  expect(await open().reads(13)).toBe('the other one');
  other.close();
});

describe('stall', () => {
  test('holds everything back and delivers it in order afterwards', async () => {
    const client = open();
    await client.exchange('a');
    proxy.set('stall');
    client.socket.write('b');
    await sleep(20);
    client.socket.write('c');
    await sleep(50);
    expect([heard, client.received, client.fate]).toEqual(['a', 'a', undefined]);
    proxy.set('pass');
    expect(await client.reads(3)).toBe('abc');
  });

  test('up keeps the server from hearing, down keeps the client from hearing', async () => {
    const client = open();
    await client.exchange('a');
    proxy.set('stall-up');
    client.socket.write('b');
    await sleep(50);
    expect(heard).toBe('a');
    proxy.set('stall-down');
    await expect.poll(() => heard).toBe('ab');
    await sleep(50);
    expect(client.received).toBe('a');
    proxy.set('pass');
    expect(await client.reads(2)).toBe('ab');
  });

  test('reads no more than it can hold', async () => {
    const client = open();
    await client.exchange('a');
    proxy.set('stall');
    client.socket.write('x'.repeat(50_000_000));
    await sleep(200);
    expect(proxy.counts.bytesUp).toBeLessThan(1_000_000);
  });
});

test('drop-down swallows answers for good', async () => {
  const client = open();
  await client.exchange('a');
  proxy.set('drop-down');
  client.socket.write('b');
  await expect.poll(() => heard).toBe('ab');
  await sleep(30);
  proxy.set('pass');
  await client.exchange('c');
  expect(client.received).toBe('ac');
});

test('drop-up swallows questions for good', async () => {
  const client = open();
  await client.exchange('a');
  proxy.set('drop-up');
  client.socket.write('b');
  await expect.poll(() => proxy.counts.bytesUp).toBe(2);
  proxy.set('pass');
  await client.exchange('c');
  expect(heard).toBe('ac');
});

test('cut down resets the connection after exactly that many bytes', async () => {
  const client = open();
  await client.exchange('first');
  proxy.set({ cut: 'down', afterBytes: 3 });
  client.socket.write('second');
  expect(await client.ended).toBe('ECONNRESET');
  expect([client.received, heard]).toEqual(['firstsec', 'firstsecond']);
});

test('cut up lets the server hear exactly that many bytes', async () => {
  proxy.set({ cut: 'up', afterBytes: 4 });
  const client = open();
  client.socket.write('ab');
  expect(await client.reads(2)).toBe('ab');
  client.socket.write('cdef');
  expect(await client.ended).toBe('ECONNRESET');
  await expect.poll(() => heard).toBe('abcd');
});

test('latency delays without changing the order, even when it ends early', async () => {
  const client = open();
  await client.exchange('a');
  proxy.set({ latencyMs: 60 });
  const since = performance.now();
  client.socket.write('b');
  await expect.poll(() => proxy.counts.bytesUp).toBe(2);
  proxy.set('pass');
  client.socket.write('c');
  expect(await client.reads(3)).toBe('abc');
  expect(performance.now() - since).toBeGreaterThan(55);
});

test('a slow drip delivers a few bytes at a time, complete and in order', async () => {
  const client = open();
  await client.exchange('a');
  proxy.set({ drip: 'down', bytes: 2, everyMs: 20 });
  const since = performance.now();
  const chunks: string[] = [];
  client.socket.on('data', (text: unknown) => chunks.push(String(text)));
  client.socket.write('bcdefgh');
  expect(await client.reads(8)).toBe('abcdefgh');
  // Four drops, and three waits between them.
  expect(performance.now() - since).toBeGreaterThan(55);
  expect(chunks.every(({ length }) => length <= 2)).toBe(true);
  expect(heard).toBe('abcdefgh');
});

test('a slow drip reads no more than it can hold, and ends with its fault', async () => {
  const client = open();
  await client.exchange('a');
  proxy.set({ drip: 'up', bytes: 1, everyMs: 10 });
  client.socket.write('x'.repeat(5_000_000));
  await sleep(100);
  expect(proxy.counts.bytesUp).toBeLessThan(1_000_000);
  expect(heard.length).toBeLessThan(30);
  proxy.set('pass');
  await expect.poll(() => heard.length, { timeout: 10_000 }).toBe(5_000_001);
});

test('exactly one byte is altered, once for a connection', async () => {
  const client = open();
  await client.exchange('a');
  proxy.set({ alter: 'down', afterBytes: 4, to: 0x21 });
  expect(await client.exchange('bcd')).toBe('abcd');
  expect(await client.exchange('efgh')).toBe('abcde!gh');
  expect(await client.exchange('ijklmnop')).toBe('abcde!ghijklmnop');
  expect(await open().exchange('123456')).toBe('1234!6');
  expect(heard).toBe('abcdefghijklmnop123456');
});

test('by default all bits of the byte are turned over', async () => {
  proxy.set({ alter: 'up', afterBytes: 1 });
  expect(await open().exchange('aaa')).toBe('a\x9Ea');
});

test('new connections are reset, the old one goes on', async () => {
  const old = open();
  await old.exchange('a');
  proxy.set('reset-on-accept');
  expect(await open().ended).toBe('ECONNRESET');
  expect(await old.exchange('b')).toBe('ab');
});

test('new connections meet silence, and no server hears of them', async () => {
  proxy.set('accept-silent');
  const client = open();
  await once(client.socket, 'connect');
  client.socket.write('hello?');
  await sleep(50);
  expect([client.received, client.fate, heard, proxy.counts.open]).toEqual(['', undefined, '', 1]);
});

test('refuse turns new connections away and keeps the old ones', async () => {
  const old = open();
  await old.exchange('a');
  await proxy.refuse();
  expect(await open().ended).toBe('ECONNREFUSED');
  expect(await old.exchange('b')).toBe('ab');
});

test('down and up look like a server that went away and came back', async () => {
  const { port } = proxy;
  const client = open();
  await client.exchange('a');
  await proxy.down();
  expect(await client.ended).toBe('ECONNRESET');
  expect(await open().ended).toBe('ECONNREFUSED');
  await proxy.up();
  expect(proxy.port).toBe(port);
  expect(await open().exchange('b')).toBe('b');
});

test('resetAll and finAll end what exists', async () => {
  const one = open();
  await one.exchange('a');
  proxy.resetAll();
  expect(await one.ended).toBe('ECONNRESET');
  const two = open();
  await two.exchange('b');
  proxy.finAll();
  expect(await two.ended).toBe('end');
  await expect.poll(() => proxy.counts.open).toBe(0);
});

test('a server that cannot be reached resets the client', async () => {
  for (const socket of echoSockets) socket.destroy();
  await new Promise((resolve) => echo.close(resolve));
  expect(await open().ended).toBe('ECONNRESET');
});

test('close ends stalled, delayed and silent connections, and may be called twice', async () => {
  const stalled = open();
  await stalled.exchange('a');
  proxy.set('accept-silent');
  const silent = open();
  await once(silent.socket, 'connect');
  proxy.set({ latencyMs: 60_000 });
  stalled.socket.write('b');
  await expect.poll(() => proxy.counts.bytesUp).toBe(2);
  await proxy.close();
  await proxy.close();
  expect(await stalled.ended).toBe('ECONNRESET');
  expect(await silent.ended).toBe('ECONNRESET');
  expect(proxy.counts.open).toBe(0);
  await expect(proxy.up()).rejects.toThrow('closed');
});

test('both ends reset at the same moment, and nothing is left', async () => {
  for (let round = 0; round < 20; round++) {
    const some = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const client = open();
        client.socket.on('error', () => undefined);
        await client.exchange('a');
        return client;
      }),
    );
    // Bytes under way in both directions, so that an end has to wait for them.
    for (const { socket } of some) socket.write('x'.repeat(200_000));
    if (round % 2 === 0) proxy.finAll();
    for (const { socket } of some) socket.resetAndDestroy();
    for (const socket of echoSockets) socket.resetAndDestroy();
    proxy.resetAll();
    await expect.poll(() => proxy.counts.open, { timeout: 2_000 }).toBe(0);
  }
});

test('a mode that makes no sense is refused', () => {
  expect(() => proxy.set({ cut: 'up', afterBytes: Number.NaN })).toThrow('afterBytes');
  expect(() => proxy.set({ latencyMs: -1 })).toThrow('latencyMs');
  expect(() => proxy.set({ drip: 'up', bytes: 0, everyMs: 1 })).toThrow('bytes');
  expect(() => proxy.set({ drip: 'up', bytes: 1, everyMs: -1 })).toThrow('everyMs');
  expect(() => proxy.set({ alter: 'up', afterBytes: 0, to: 256 })).toThrow('to must be a byte');
  expect(() => proxy.set('stal' as never)).toThrow('no mode "stal"');
});
