import {
  channels,
  type Dialect,
  type Driver,
  type DriverConnection,
  type HealthMessage,
  type ObservedPool,
  observedPools,
  type PoolView,
  type ServerIdentity,
} from '@dal/core';

/** A pool's entry in the list of those that are open. */
export class WatchedPool implements ObservedPool {
  readonly view: PoolView;
  readonly dialect: Dialect;
  #name: string;
  #server: ServerIdentity;
  #listed = false;

  constructor(name: string, view: PoolView, dialect: Dialect, server: ServerIdentity) {
    this.#name = name;
    this.view = view;
    this.dialect = dialect;
    this.#server = server;
  }

  get name(): string {
    return this.#name;
  }

  get server(): ServerIdentity {
    return this.#server;
  }

  /** At its first attempt to open a session; pools that nobody uses are in no list. */
  list(): void {
    if (this.#listed) return;
    this.#listed = true;
    const taken = new Set([...observedPools].map(({ name }) => name));
    const name = this.#name;
    for (let count = 2; taken.has(this.#name); count++) this.#name = `${name} (${count})`;
    observedPools.add(this);
  }

  unlist(): void {
    observedPools.delete(this);
  }

  /** A session was opened, and may know better what its server is. */
  met({ system }: DriverConnection): void {
    if (system !== undefined && system !== this.#server.system) {
      this.#server = { ...this.#server, system };
    }
  }
}

/** The entry of a pool whose database has this name. */
export function watchedPool<Options, Raw>(
  name: string,
  view: PoolView,
  driver: Driver<Options, Raw>,
  options: Options,
): WatchedPool {
  const server = describeServer(driver, options);
  // A database without a name of its own has the driver's, which says little.
  const shown = name === driver.name ? placeOf(server, name) : name;
  return new WatchedPool(shown, view, driver.dialect, server);
}

/** Tells those who watch what became of the server, if there are any. */
export function tellHealth(pool: WatchedPool, event: HealthMessage['event'], error: unknown): void {
  if (channels.health.hasSubscribers) channels.health.publish({ pool, event, error });
}

/** What the driver says of its options, or what can be seen in them. */
function describeServer<Options, Raw>(
  driver: Driver<Options, Raw>,
  options: Options,
): ServerIdentity {
  if (driver.describe) return driver.describe(options);
  const { host, port, database } = (options ?? {}) as Readonly<Record<string, unknown>>;
  return {
    system: driver.name,
    namespace: typeof database === 'string' ? database : undefined,
    address: typeof host === 'string' ? host : undefined,
    port: typeof port === 'number' ? port : undefined,
  };
}

function placeOf({ address, port, namespace }: ServerIdentity, name: string): string {
  const server = port === undefined ? address : `${address}:${port}`;
  return [server, namespace].filter(Boolean).join('/') || name;
}
