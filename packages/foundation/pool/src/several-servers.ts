import {
  ConnectionError,
  type Driver,
  type DriverConnection,
  type ServerList,
  type ServerRole,
  type TargetServer,
} from '@dal/core';
import { askRole } from './ask-role.ts';
import { ConnectAttempts } from './connect-attempts.ts';
import { borrowGate, returnGate } from './gate.ts';
import {
  bidFarewell,
  discard,
  type Found,
  gateName,
  type KnownServer,
  whyNot,
} from './known-server.ts';
import { lastWordOf } from './last-word.ts';
import { meetServer, type Met } from './meet-server.ts';
import { UNSETTLED } from './outage-watch.ts';
import { Primacy } from './primacy.ts';
import { Rivals } from './rivals.ts';
import { ServerSearch } from './server-search.ts';
import { misfit, wantsPrimary } from './server-role.ts';

export interface SeveralServersParts<Options, Raw> {
  readonly driver: Driver<Options, Raw>;
  readonly list: ServerList<Options>;
  /** Sessions to these servers are of no use any more; `atOnce`: not even for what runs there. */
  retire(
    which: (connection: DriverConnection<Raw>) => boolean,
    reason: Error,
    atOnce: boolean,
  ): void;
  /** Another server is the primary now. */
  onMove(from: string, to: string): void;
  /** An attempt that was given up has succeeded after all: ask for a session now. */
  onSpare(): void;
}

/** What was unfit is asked last for this long. */
const UNFIT_MS = 1_000;
/** False alarms cost no more than one new set of sessions in this time. */
const SUSPICION_MS = 200;
/** What a silent primary has for a last sign of life, when a rival has a newer reign, and when not. */
const LAST_WORD_MS = 150;
const LONG_LAST_WORD_MS = 500;

/**
 * Opens sessions on the one of several servers that will do. When writes are wanted there is one
 * such server at a time: as soon as another one is known, all sessions of the old one are retired.
 */
export class SeveralServers<Options, Raw> {
  readonly #parts: SeveralServersParts<Options, Raw>;
  readonly #servers: readonly KnownServer<Options>[];
  readonly #target: TargetServer;
  readonly #homes = new WeakMap<DriverConnection<Raw>, object>();
  readonly #primacy = new Primacy<Options>();
  readonly #rivals: Rivals<Options, Raw>;
  /** The last one that was believed to be the primary. */
  #primary: KnownServer<Options> | undefined;
  #suspectedAt = -Infinity;
  #spares: Found<Raw>[] = [];
  #closed = false;
  readonly #attempts = new ConnectAttempts();

  constructor(parts: SeveralServersParts<Options, Raw>) {
    this.#parts = parts;
    this.#target = parts.list.target ?? 'any';
    this.#servers = parts.list.servers.map(({ name, options }) => ({
      name,
      options,
      gate: borrowGate(gateName(parts.driver, name)),
      dethroned: false,
      unfit: undefined,
      unfitSince: 0,
      forgotten: 0,
      connectMs: 0,
    }));
    this.#rivals = new Rivals({
      attempts: this.#attempts,
      meet: (server, signal) => meetServer(parts.driver, server, true, signal),
      onAnswer: (server, met) => this.#onRival(server, met),
    });
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
    const { reign } = this.#primacy;
    if (!this.seeksPrimary || !reign || this.#homes.get(connection) !== reign) return;
    if (now - this.#suspectedAt < SUSPICION_MS) return;
    this.#suspectedAt = now;
    this.#endReign();
  }

  /** The session's server does not even take a cancel. */
  mistrust(connection: DriverConnection<Raw>): void {
    const { reign } = this.#primacy;
    if (reign && this.#homes.get(connection) === reign) this.doubt();
  }

  /**
   * The primary is silent: is another one the primary by now? Only the others are asked, until one says
   * so; the primary has the last word then. To be called as long as the silence lasts.
   */
  doubt(): void {
    const { reign } = this.#primacy;
    if (!reign || this.#closed) return;
    this.#rivals.ask(this.#servers.filter((server) => server !== reign.server));
  }

  /** Somebody should ask the primary for its role now and then. */
  get needsSight(): boolean {
    return this.#primacy.needsSight;
  }

  /** The primary was heard, or nothing is awaited from it. */
  trust(): void {
    this.#rivals.relax();
  }

  /** The others are not asked any more. */
  rest(): void {
    this.#rivals.dismiss();
  }

  close(): void {
    this.#closed = true;
    this.#attempts.giveUp(closedError());
    this.#rivals.dismiss();
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
    const current = this.#primacy.reign?.server;
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
  #try(server: KnownServer<Options>, target: TargetServer): Promise<Found<Raw> | string> {
    return this.#attempts.run((signal) => this.#attempt(server, target, signal));
  }

  async #attempt(
    server: KnownServer<Options>,
    target: TargetServer,
    signal: AbortSignal,
  ): Promise<Found<Raw> | string> {
    const met = await meetServer(this.#parts.driver, server, target !== 'any', signal);
    const why = met.role && this.#judge(server, met.role, target);
    if (why === undefined && !this.#closed) {
      this.#settle(server, met);
      return met;
    }
    server.unfit = why;
    server.unfitSince = performance.now();
    await bidFarewell(met.connection, signal);
    return why ?? 'is not needed any more';
  }

  #judge(server: KnownServer<Options>, role: ServerRole, target: TargetServer): string | undefined {
    const why = misfit(target, role);
    if (!wantsPrimary(target)) return why;
    if (why === undefined) return this.#primacy.doubtOf(server, role);
    this.#primacy.sawOther(server, role);
    return why;
  }

  /** Another server says that it is the primary, and the primary is silent. */
  async #onRival(server: KnownServer<Options>, met: Met<Raw>): Promise<boolean> {
    const { reign } = this.#primacy;
    const { role } = met;
    if (!reign || !role || this.#judge(server, role, this.#target) !== undefined) return false;
    const isNewer = this.#primacy.isNewer(role);
    const word = await lastWordOf(reign.server, isNewer ? LAST_WORD_MS : LONG_LAST_WORD_MS, {
      driver: this.#parts.driver,
      attempts: this.#attempts,
      isPrimary: (said) => this.#judge(reign.server, said, this.#target) === undefined,
    });
    if (this.#primacy.reign !== reign || this.#closed) return false;
    if (word === 'primary' && !isNewer) {
      this.#rivals.pause();
      return false;
    }
    if (this.#primacy.reign) this.#endReign(word === 'none');
    this.#settle(server, met);
    this.#keepSpare(met);
    return true;
  }

  /** Remembers where the session leads; a new primary ends the reign of the one before. */
  #settle(server: KnownServer<Options>, { connection, role }: Met<Raw>): void {
    server.unfit = undefined;
    if (!this.seeksPrimary || !role) {
      this.#homes.set(connection, server);
    } else {
      const { reign } = this.#primacy;
      if (reign && reign.server !== server) this.#endReign();
      this.#homes.set(connection, this.#primacy.believe(server, role));
      if (this.#primary && this.#primary !== server) {
        this.#parts.onMove(this.#primary.name, server.name);
      }
      this.#primary = server;
    }
    if (this.#target !== 'any' && this.#target !== 'prefer-standby') {
      // A sign of life counts only when it comes from a server that will do.
      connection.ping = () => this.#examine(server, connection);
    }
  }

  async #examine(server: KnownServer<Options>, connection: DriverConnection<Raw>): Promise<void> {
    const role = await askRole(connection);
    const why = this.#judge(server, role, this.#target);
    const { reign } = this.#primacy;
    const isHome = reign !== undefined && this.#homes.get(connection) === reign;
    if (why === undefined) {
      if (isHome) this.#primacy.believe(server, role);
      return;
    }
    if (isHome) this.#endReign();
    throw new ConnectionError(`The server ${server.name} ${why} now.`, {
      code: 'DAL_WRONG_SERVER',
      fault: { kind: 'readOnly', connectionLost: true, applied: 'no' },
    });
  }

  #endReign(atOnce: boolean = false): void {
    const { reign } = this.#primacy;
    if (!reign) return;
    this.#primacy.end();
    this.#parts.retire(
      (connection) => this.#homes.get(connection) === reign,
      new ConnectionError(
        `The server ${reign.server.name} is not the primary any more; its sessions are not used again.`,
        { code: 'DAL_WRONG_SERVER', kind: 'connection' },
      ),
      atOnce,
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

function closedError(): ConnectionError {
  return new ConnectionError('The database is closed.', { code: 'DAL_CLOSED' });
}
