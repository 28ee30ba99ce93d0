import { createServer, type Server, type Socket } from 'node:net';
import type { LoadBatch } from '@dal/core';
import { afterEach, describe, expect, test } from 'vitest';
import { mysqlDriver } from './mysql-driver.ts';

const COM_QUIT = 1;
const COM_QUERY = 3;
const COM_PREPARE = 22;
const COM_EXECUTE = 23;

/** A server that means harm: whatever is asked of it, it asks for files of the client. */
class HostileServer {
  /** What clients sent as the content of a file. */
  readonly stolen: Buffer[] = [];
  readonly #server: Server;
  readonly #asks: string[];

  constructor(asks: readonly string[]) {
    this.#asks = [...asks];
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#server.listen({ port: 0, host: '127.0.0.1' }, resolve);
    });
    return (this.#server.address() as { port: number }).port;
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: Socket): void {
    let isOpen = false;
    let waiting = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.write(packet(0, GREETING));
    socket.on('data', (bytes: Buffer) => {
      waiting = Buffer.concat([waiting, bytes]);
      for (;;) {
        const length = waiting.length < 4 ? Infinity : waiting.readUIntLE(0, 3);
        if (waiting.length < length + 4) return;
        const sequence = waiting[3] as number;
        const body = waiting.subarray(4, 4 + length);
        waiting = waiting.subarray(4 + length);
        if (isOpen) this.#answer(socket, sequence, body);
        else socket.write(packet(sequence + 1, OK));
        isOpen = true;
      }
    });
  }

  #answer(socket: Socket, sequence: number, body: Buffer): void {
    if (sequence > 0) {
      // A piece of a file; the empty one ends it.
      if (body.length > 0) this.stolen.push(body);
      else this.#askOrEnd(socket, sequence + 1);
    } else if (body[0] === COM_QUIT) {
      socket.end();
    } else if (body[0] === COM_PREPARE) {
      socket.write(packet(1, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])));
    } else if (body[0] === COM_QUERY && /^(?:SET|SHOW)/.test(body.toString('latin1', 1))) {
      socket.write(packet(1, OK));
    } else if (body[0] === COM_QUERY || body[0] === COM_EXECUTE) {
      this.#askOrEnd(socket, 1);
    }
  }

  #askOrEnd(socket: Socket, sequence: number): void {
    const path = this.#asks.shift();
    if (path === undefined) socket.write(packet(sequence, OK));
    else {
      const more = packet(sequence, MORE_OK);
      const ask = packet(sequence === 1 ? 1 : sequence + 1, Buffer.from(`\u00FB${path}`, 'latin1'));
      socket.write(sequence === 1 ? ask : Buffer.concat([more, ask]));
    }
  }
}

describe.each([true, false])('with localInfile: %s', (localInfile) => {
  let server: HostileServer;
  afterEach(() => server.close());

  async function open(asks: readonly string[]) {
    server = new HostileServer(asks);
    const port = await server.listen();
    const options = mysqlDriver.configure!({ port, user: 'u', tls: 'disable', localInfile });
    return mysqlDriver.connect(options, () => undefined);
  }

  test.each(['text', 'prepared', 'stream'])('a %s statement gives no file away', async (way) => {
    const session = await open(['/etc/passwd']);
    const statement = { text: 'SELECT 1', values: [], name: 'one' };
    const call = async (): Promise<void> => {
      if (way === 'text') await session.query(statement);
      else if (way === 'prepared') await session.queryMany!(statement, [[]]);
      else for await (const _ of session.stream!(statement, 1)) throw new Error('A row.');
    };
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    expect(mysqlDriver.classify(error)).toMatchObject({ kind: 'usage', applied: 'no' });
    expect(server.stolen).toEqual([]);
    await session.close();
  });

  test.runIf(localInfile)('a load gives its rows once, and no other file', async () => {
    for (const asks of [['/etc/passwd'], ['dal-rows', '/etc/passwd'], ['dal-rows', 'dal-rows']]) {
      const session = await open(asks);
      const loading = session.load!({ table: ['t'], columns: ['c'] }, oneRow());
      const error: unknown = await loading.catch((thrown: unknown) => thrown);
      expect(mysqlDriver.classify(error)).toMatchObject({ kind: 'usage', applied: 'no' });
      const sent = Buffer.concat(server.stolen).toString();
      expect(sent).toBe(asks[0] === 'dal-rows' ? 'mine\n' : '');
      await session.close();
      server.close();
    }
  });
});

async function* oneRow(): AsyncGenerator<LoadBatch> {
  yield await Promise.resolve([['mine']]);
}

/** Every capability but TLS and compression, then a login of the simplest kind. */
const GREETING = Buffer.concat([
  Buffer.from([10]),
  Buffer.from('9.0.0-hostile\0'),
  Buffer.from([1, 0, 0, 0]),
  Buffer.from('12345678\0'),
  Buffer.from([0xdf, 0xf7, 45, 2, 0, 0x0f, 0x00, 21]),
  Buffer.alloc(10),
  Buffer.from('123456789012\0mysql_native_password\0'),
]);
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
/** Another result follows. */
const MORE_OK = Buffer.from([0, 0, 0, 10, 0, 0, 0]);

function packet(sequence: number, body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(body.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, body]);
}
