import type { PoolView } from './database.ts';
import type { Dialect } from './dialect.ts';

/** The server behind a pool, in OpenTelemetry's words. */
export interface ServerIdentity {
  /**
   * `db.system.name`: `postgresql`, `mysql`, `mariadb`, `sqlite`, or what a third party's driver says.
   * Told apart by the server's greeting, so it is right from the first connection on.
   */
  readonly system: string;
  /** `db.namespace`: the database's name on the server, or the base name of the file. */
  readonly namespace: string | undefined;
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** A pool as those see it who watch from outside. One object for the pool's whole life. */
export interface ObservedPool {
  /**
   * The database's name, or `address:port/namespace` when it was given none; unique in the process by
   * a number behind it where two have the same.
   */
  readonly name: string;
  readonly server: ServerIdentity;
  readonly dialect: Dialect;
  readonly view: PoolView;
}

/** A database as those see it who watch from outside; several may share one pool. */
export interface ObservedDatabase {
  readonly name: string;
  readonly configHash: string;
  readonly pool: ObservedPool;
}

/** Every pool of this process that is open, in the order in which they were opened. */
export const observedPools: ReadonlySet<ObservedPool> & {
  add(pool: ObservedPool): unknown;
  delete(pool: ObservedPool): boolean;
} = new Set<ObservedPool>();
