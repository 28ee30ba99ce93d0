import { connect, type Socket } from 'node:net';
import type { Database } from '@dal/core';
import type { Server } from '@dal/testing/servers';

/** What a layer could forget to give back, so that a soak can show that it sees each of them. */
export class Leaks {
  readonly #server: Server;
  readonly #kept: object[] = [];
  readonly #sockets: Socket[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #listeners: (() => void)[] = [];

  constructor(server: Server, db: Database) {
    this.#server = server;
    db.hooks.on('query:after', () => void this.#kept.push(Array.from({ length: 2_000 }, () => 0)));
  }

  /** Some more of everything. */
  round(): void {
    for (let time = 0; time < 2; time++) {
      this.#kept.push(Array.from({ length: 100_000 }, () => 0));
      const { host, port } = this.#server;
      const socket = connect({ host, port }).on('error', () => undefined);
      // Read, so that its end is seen.
      this.#sockets.push(socket.resume());
      this.#timers.push(setInterval(() => undefined, 1_000));
      const listener = (): void => undefined;
      this.#listeners.push(listener);
      process.on('SIGUSR2', listener);
    }
  }

  /** Without it the process would go on for ever. */
  end(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const timer of this.#timers) clearInterval(timer);
    for (const listener of this.#listeners) process.off('SIGUSR2', listener);
  }
}
