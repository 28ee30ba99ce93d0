import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../servers/free-port.ts';
import { type ProxyFault, UNTOUCHED } from './lane-fault.ts';
import { Lane } from './lane.ts';
import { faultOf, type ProxyMode } from './proxy-mode.ts';
import { resetSocket } from './reset-socket.ts';

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
  readonly #connections = new Set<Connection>();
  #target: Required<ProxyTarget>;
  #listener: Server | undefined;
  #mode: ProxyMode = 'pass';
  #fault: ProxyFault = {};
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

  /** The ports from which open connections go on to the server, as it sees its clients. */
  get portsToServer(): readonly number[] {
    return [...this.#connections].flatMap(({ portToServer }) => portToServer ?? []);
  }

  /** The same address, but through this proxy: `postgres://me@db:5432/x` with our host and port. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = this.host;
    changed.port = String(this.port);
    return changed.href;
  }

  /**
   * Changes what happens to bytes and new connections, from now on.
   *
   * @throws RangeError for a mode that makes no sense
   */
  set(mode: ProxyMode): void {
    this.#fault = faultOf(mode);
    this.#mode = mode;
    for (const connection of this.#connections) connection.set(this.#fault);
  }

  /** New connections go to another server from now on, as when an address moves; see `resetAll`. */
  leadTo(target: ProxyTarget): void {
    this.#target = { host: '127.0.0.1', ...target };
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
    if (this.#closed || this.#fault.onAccept === 'reset') {
      client.on('error', () => undefined);
      resetSocket(client);
      return;
    }
    const target = this.#fault.onAccept === 'silence' ? undefined : this.#target;
    const connection = new Connection(client, target, this.#fault, (direction, count) => {
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
  #lanes: { readonly up: Lane; readonly down: Lane } | undefined;

  constructor(
    client: Socket,
    target: Required<ProxyTarget> | undefined,
    fault: ProxyFault,
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
    this.#lanes = {
      up: new Lane(client, server, (count) => onBytes('up', count), reset),
      down: new Lane(server, client, (count) => onBytes('down', count), reset),
    };
    this.set(fault);
  }

  /** Undefined when the server is not reached, or not yet. */
  get portToServer(): number | undefined {
    return this.#server?.localPort;
  }

  set({ lane }: ProxyFault): void {
    this.#lanes?.up.set(lane?.('up') ?? UNTOUCHED);
    this.#lanes?.down.set(lane?.('down') ?? UNTOUCHED);
  }

  reset(): void {
    this.#stopLanes();
    resetSocket(this.#client);
    if (this.#server) resetSocket(this.#server);
  }

  end(): void {
    this.#client.end();
    this.#server?.end();
  }

  async #untilClosed(sockets: readonly Socket[]): Promise<void> {
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))),
    );
    this.#stopLanes();
  }

  #stopLanes(): void {
    this.#lanes?.up.stop();
    this.#lanes?.down.stop();
  }
}
