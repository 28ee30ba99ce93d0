import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../servers/free-port.ts';
import { Lane, type ProxyMode } from './lane.ts';

/** Where a proxy leads to. */
export interface ProxyTarget {
  /** @default '127.0.0.1' */
  host?: string;
  port: number;
}

/** What went through a proxy since it was started. */
export interface ProxyCounts {
  /** Connections that are open now. */
  readonly open: number;
  /** Connections that clients have ever made. */
  readonly accepted: number;
  /** Bytes that clients have sent. */
  readonly bytesUp: number;
  /** Bytes that the server has sent. */
  readonly bytesDown: number;
}

/**
 * Starts a TCP proxy on 127.0.0.1 that can do to a connection whatever networks do.
 *
 * @example
 * await using proxy = await startFaultProxy({ port: server.port });
 * const db = await createDatabase(proxy.through(server.url));
 * proxy.set('stall');
 * proxy.resetAll();
 */
export async function startFaultProxy(target: ProxyTarget): Promise<FaultProxy> {
  for (let attempt = 1; ; attempt++) {
    const proxy = new FaultProxy(target, await freePort());
    try {
      await proxy.up();
      return proxy;
    } catch (error) {
      // Somebody else was faster with that port.
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === 5) throw error;
    }
  }
}

/** See {@link startFaultProxy}. Modes act on connections that exist, and on new ones. */
export class FaultProxy implements AsyncDisposable {
  readonly host = '127.0.0.1';
  /** Stays the same over `down` and `up`. */
  readonly port: number;
  readonly #target: Required<ProxyTarget>;
  readonly #connections = new Set<Connection>();
  #listener: Server | undefined;
  #mode: ProxyMode = 'pass';
  #accepted = 0;
  #bytes = { up: 0, down: 0 };
  #closed = false;

  constructor(target: ProxyTarget, port: number) {
    this.#target = { host: '127.0.0.1', ...target };
    this.port = port;
  }

  get mode(): ProxyMode {
    return this.#mode;
  }

  get counts(): ProxyCounts {
    return {
      open: this.#connections.size,
      accepted: this.#accepted,
      bytesUp: this.#bytes.up,
      bytesDown: this.#bytes.down,
    };
  }

  /** The same address, but through this proxy: `postgres://me@db:5432/x` with our host and port. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = this.host;
    changed.port = String(this.port);
    return changed.href;
  }

  /** Changes what happens to bytes and new connections, from now on. */
  set(mode: ProxyMode): void {
    if (typeof mode === 'object') {
      const [name, value] =
        'cut' in mode
          ? (['afterBytes', mode.afterBytes] as const)
          : (['latencyMs', mode.latencyMs] as const);
      if (!(value >= 0)) throw new RangeError(`${name} must be 0 or more, not ${value}.`);
    }
    this.#mode = mode;
    for (const connection of this.#connections) connection.set(mode);
  }

  /** Resets all connections, on both sides. New ones are still accepted. */
  resetAll(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Ends all connections in an orderly way: the client reads an end, after what is under way. */
  finAll(): void {
    for (const connection of this.#connections) connection.end();
  }

  /** Refuses new connections; those that exist go on. */
  async refuse(): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#listener = undefined;
    // Its close event would wait for the connections. The port is free before that.
    listener.close();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Looks like a server that is gone: refuses new connections and resets the others. */
  async down(): Promise<void> {
    this.resetAll();
    await this.refuse();
  }

  /** Accepts connections again after `refuse` or `down`, on the same port. */
  async up(): Promise<void> {
    if (this.#closed) throw new Error('The fault proxy is closed.');
    if (this.#listener !== undefined) return;
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client),
    );
    this.#listener = listener;
    try {
      listener.listen(this.port, this.host);
      await once(listener, 'listening');
    } catch (error) {
      this.#listener = undefined;
      throw error;
    }
  }

  /** Ends everything: no socket, timer or listener is left. */
  async close(): Promise<void> {
    this.#closed = true;
    const listener = this.#listener;
    this.#listener = undefined;
    const closed = [...this.#connections].map((connection) => connection.closed);
    if (listener !== undefined)
      closed.push(new Promise((resolve) => listener.close(() => resolve())));
    this.resetAll();
    await Promise.all(closed);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    if (this.#closed || this.#mode === 'reset-on-accept') {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const target = this.#mode === 'accept-silent' ? undefined : this.#target;
    const connection = new Connection(client, target, this.#mode, (direction, count) => {
      this.#bytes[direction] += count;
    });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }
}

/** A client, the server behind the proxy (`undefined` for silence), and the lanes between them. */
class Connection {
  /** Settles when both sockets are gone. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket | undefined;
  readonly #lanes: Lane[] = [];

  constructor(
    client: Socket,
    target: Required<ProxyTarget> | undefined,
    mode: ProxyMode,
    onBytes: (direction: 'up' | 'down', count: number) => void,
  ) {
    this.#client = client;
    const server =
      target === undefined ? undefined : connect({ ...target, allowHalfOpen: true, noDelay: true });
    this.#server = server;
    const sockets = server === undefined ? [client] : [client, server];
    const reset = (): void => this.reset();
    // Whatever ends one side without a proper end, a refused connection included, resets the other.
    for (const socket of sockets) socket.on('error', reset);
    this.closed = this.#untilClosed(sockets);
    if (server === undefined) {
      client.on('end', () => client.end()).resume();
      return;
    }
    this.#lanes.push(
      new Lane(client, server, 'up', mode, (count) => onBytes('up', count), reset),
      new Lane(server, client, 'down', mode, (count) => onBytes('down', count), reset),
    );
  }

  set(mode: ProxyMode): void {
    for (const lane of this.#lanes) lane.set(mode);
  }

  reset(): void {
    for (const lane of this.#lanes) lane.stop();
    this.#client.resetAndDestroy();
    // A socket that still connects would wait for that first.
    if (this.#server?.connecting) this.#server.destroy();
    else this.#server?.resetAndDestroy();
  }

  end(): void {
    this.#client.end();
    this.#server?.end();
  }

  async #untilClosed(sockets: readonly Socket[]): Promise<void> {
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    for (const lane of this.#lanes) lane.stop();
  }
}
