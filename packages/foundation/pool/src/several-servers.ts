import {
  ConnectionError,
  type Driver,
  type DriverConnection,
  type ServerList,
  type ServerRole,
  type TargetServer,
} from '@dal/core';
import { askRole } from './ask-role.ts';
import { borrowGate, returnGate } from './gate.ts';
import {
  bidFarewell,
  discard,
  type Found,
  gateName,
  type KnownServer,
  whyNot,
} from './known-server.ts';
import { UNSETTLED } from './outage-watch.ts';
import { ServerSearch } from './server-search.ts';
import { misfit, wantsPrimary } from './server-role.ts';

export interface SeveralServersParts<Options, Raw> {
  readonly driver: Driver<Options, Raw>;
  readonly list: ServerList<Options>;
  /** Sessions to these servers are of no use any more. */
  retire(which: (connection: DriverConnection<Raw>) => boolean, reason: Error): void;
  /** An attempt that was given up has succeeded after all: ask for a session now. */
  onSpare(): void;
}

/** What was unfit is asked last for this long. */
const UNFIT_MS = 1_000;
/** False alarms cost no more than one new set of sessions in this time. */
const SUSPICION_MS = 200;

/**
 * Opens sessions on the one of several servers that will do. When writes are wanted there is one
 * such server at a time: as soon as another one is known, all sessions of the old one are retired.
 */
export class SeveralServers<Options, Raw> {
  readonly #parts: SeveralServersParts<Options, Raw>;
  readonly #servers: readonly KnownServer<Options>[];
  readonly #target: TargetServer;
  readonly #homes = new WeakMap<DriverConnection<Raw>, object>();
  /** Changes whenever another server, or the same one after another, becomes the primary. */
  #reign: { readonly server: KnownServer<Options> } | undefined;
  #generation = 0;
  #suspectedAt = -Infinity;
  #spares: Found<Raw>[] = [];
  #closed = false;
  #isAsking = false;

  constructor(parts: SeveralServersParts<Options, Raw>) {
    this.#parts = parts;
    this.#target = parts.list.target ?? 'any';
    this.#servers = parts.list.servers.map(({ name, options }) => ({
      name,
      options,
      gate: borrowGate(gateName(parts.driver, name)),
      unfit: undefined,
      unfitSince: 0,
      forgotten: 0,
      connectMs: 0,
    }));
  }

  /** Writes are wanted, and go to one server at a time. */
  get seeksPrimary(): boolean {
    return wantsPrimary(this.#target);
  }

  /** The server of a session, for comparing; another one after each change of the primary. */
  homeOf(connection: DriverConnection<Raw>): object | undefined {
    return this.#homes.get(connection);
  }

  async connect(lost: (error: unknown) => void): Promise<DriverConnection<Raw>> {
    const spare = this.#spares.shift();
    if (spare) return spare.handOver(lost);
    const found = await this.#search();
    return found.handOver(lost);
  }

  /** A write was refused because the server is read-only; the others of this server would be too. */
  suspect(connection: DriverConnection<Raw>): void {
    const now = performance.now();
    const reign = this.#reign;
    if (!this.seeksPrimary || !reign || this.#homes.get(connection) !== reign) return;
    if (now - this.#suspectedAt < SUSPICION_MS) return;
    this.#suspectedAt = now;
    this.#endReign();
  }

  /**
   * A server does not even take a cancel: is another one the primary by now? Only the others are
   * asked, so that the suspected one never sees more sessions than it may.
   */
  mistrust(connection: DriverConnection<Raw>): void {
    const reign = this.#reign;
    if (!reign || this.#homes.get(connection) !== reign || this.#isAsking) return;
    this.#isAsking = true;
    void this.#askOthers(reign.server).finally(() => (this.#isAsking = false));
  }

  async #askOthers(suspect: KnownServer<Options>): Promise<void> {
    for (const server of this.#servers) {
      if (server === suspect || server.gate.pauses || server.forgotten > 0) continue;
      try {
        // oxlint-disable-next-line no-await-in-loop -- the first that will do is enough
        const found = await this.#try(server, this.#target);
        if (typeof found === 'string') continue;
        this.#keepSpare(found);
        return;
      } catch {
        // This one does not serve either.
      }
    }
  }

  close(): void {
    this.#closed = true;
    for (const spare of this.#spares.splice(0)) discard(spare.connection);
    for (const { name } of this.#servers) returnGate(gateName(this.#parts.driver, name));
  }

  async #search(): Promise<Found<Raw>> {
    const { list } = this.#parts;
    const order = this.#order(list.shuffle === true);
    const ready = order.filter((server) => !server.gate.pauses && server.forgotten === 0);
    const reasons = order
      .filter((server) => !ready.includes(server))
      .map((server) => ({ server, why: whyNot(server) }));
    const search = (target: TargetServer): Promise<Found<Raw>> =>
      new ServerSearch<Options, Raw>(
        ready,
        reasons,
        (server) => this.#try(server, target),
        (found) => this.#keepSpare(found),
        target,
      ).found;
    if (this.#target !== 'prefer-standby') return search(this.#target);
    return search('prefer-standby').catch((error: { code?: unknown }) => {
      if (error.code === UNSETTLED && ready.length === 0) throw error;
      return search('any');
    });
  }

  /** The known primary first; those that were unfit a moment ago last. */
  #order(shuffle: boolean): KnownServer<Options>[] {
    const current = this.#reign?.server;
    const recently = performance.now() - UNFIT_MS;
    const rank = (server: KnownServer<Options>): number => {
      if (server === current) return 0;
      return server.unfit !== undefined && server.unfitSince > recently ? 2 : 1;
    };
    const servers = shuffle
      ? this.#servers
          .map((server) => ({ server, key: Math.random() }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ server }) => server)
      : [...this.#servers];
    return servers.toSorted((a, b) => rank(a) - rank(b));
  }

  /** A session of this server, or in words why it will not do. */
  async #try(server: KnownServer<Options>, target: TargetServer): Promise<Found<Raw> | string> {
    if (this.#closed) throw new ConnectionError('The database is closed.', { code: 'DAL_CLOSED' });
    const began = performance.now();
    let early: { error: unknown } | undefined;
    let tell = (error: unknown): void => {
      early = { error };
    };
    let connection: DriverConnection<Raw> | undefined;
    try {
      connection = await this.#parts.driver.connect(server.options, (error) => tell(error));
      const role = target === 'any' ? undefined : await askRole(connection);
      server.connectMs = performance.now() - began;
      server.gate.served();
      const why = role && this.#judge(role, target);
      if (why !== undefined || this.#closed) {
        server.unfit = why;
        server.unfitSince = performance.now();
        await bidFarewell(connection);
        return why ?? 'is not needed any more';
      }
    } catch (error) {
      if (connection) discard(connection);
      const { kind } = this.#parts.driver.classify(error);
      if (kind === 'connection' || kind === 'notReady') server.gate.failed(error);
      throw error;
    }
    server.unfit = undefined;
    this.#settle(server, connection);
    return {
      connection,
      handOver: (lost) => {
        tell = lost;
        if (early) lost(early.error);
        return connection;
      },
    };
  }

  #judge(role: ServerRole, target: TargetServer): string | undefined {
    const why = misfit(target, role);
    if (why !== undefined || !wantsPrimary(target) || role.generation === undefined) return why;
    if (role.generation < this.#generation) return 'is a former primary';
    this.#generation = role.generation;
    return undefined;
  }

  /** Remembers where the session leads; a new primary ends the reign of the one before. */
  #settle(server: KnownServer<Options>, connection: DriverConnection<Raw>): void {
    if (!this.seeksPrimary) {
      this.#homes.set(connection, server);
    } else {
      if (this.#reign && this.#reign.server !== server) this.#endReign();
      this.#reign ??= { server };
      this.#homes.set(connection, this.#reign);
    }
    if (this.#target !== 'any' && this.#target !== 'prefer-standby') {
      // A sign of life counts only when it comes from a server that will do.
      connection.ping = async () => {
        const why = this.#judge(await askRole(connection), this.#target);
        if (why === undefined) return;
        if (this.#homes.get(connection) === this.#reign) this.#endReign();
        throw new ConnectionError(`The server ${server.name} ${why} now.`, {
          code: 'DAL_WRONG_SERVER',
          fault: { kind: 'readOnly', connectionLost: true, applied: 'no' },
        });
      };
    }
  }

  #endReign(): void {
    const reign = this.#reign;
    if (!reign) return;
    this.#reign = undefined;
    reign.server.unfit = 'is not the primary any more';
    reign.server.unfitSince = performance.now();
    this.#parts.retire(
      (connection) => this.#homes.get(connection) === reign,
      new ConnectionError(
        `The server ${reign.server.name} is not the primary any more; its sessions are not used again.`,
        { code: 'DAL_WRONG_SERVER', kind: 'connection' },
      ),
    );
  }

  /** Of use only when somebody takes it at once; it would be one session too many otherwise. */
  #keepSpare(found: Found<Raw>): void {
    if (!this.#closed) {
      this.#spares.push(found);
      this.#parts.onSpare();
    }
    setImmediate(() => {
      const place = this.#spares.indexOf(found);
      if (place >= 0) this.#spares.splice(place, 1);
      if (place >= 0 || this.#closed) discard(found.connection);
    });
  }
}
