import type { Driver, DriverConnection } from '@dal/core';

/** What is seen of a driver while the layer uses it. */
export interface Watch {
  /** The driver to give to the layer; behaves as the one it watches. */
  readonly driver: Driver;
  /** Sessions that are open, in the order of their opening. */
  readonly open: ReadonlySet<DriverConnection>;
  /** The most sessions that were open, or being opened, at one moment. */
  readonly most: () => number;
  /** The options that the layer gave to `connect`. */
  readonly options: () => unknown;
  /** Optional members of the last session. */
  readonly members: () => ReadonlySet<string>;
  /** The data lives in the session and nowhere else: a second session would see none of it. */
  readonly isPrivate: () => boolean;
}

const optionalMembers = [
  'begin',
  'cancel',
  'commit',
  'destroy',
  'kill',
  'limit',
  'load',
  'outcome',
  'ping',
  'queryMany',
  'reset',
  'rollback',
  'rollbackTo',
  'savepoint',
  'statements',
  'status',
  'stream',
  'version',
] as const;

export function watchDriver(driver: Driver): Watch {
  const open = new Set<DriverConnection>();
  let members: ReadonlySet<string> = new Set();
  let options: unknown;
  let isPrivate = false;
  let now = 0;
  let most = 0;

  const watched: Driver = {
    ...driver,
    // Spelt out, because a driver may be an instance of a class.
    name: driver.name,
    schemes: driver.schemes,
    dialect: driver.dialect,
    classify: (error) => driver.classify(error),
    async connect(given, lost, signal) {
      options = given;
      most = Math.max(most, ++now);
      try {
        const noticed = (error: unknown): void => {
          if (open.delete(connection)) now--;
          lost(error);
        };
        const connection = await driver.connect(given, noticed, signal);
        open.add(connection);
        members = new Set(
          optionalMembers.filter((member) => typeof connection[member] === 'function'),
        );
        watchEnd(connection, () => {
          if (open.delete(connection)) now--;
        });
        return connection;
      } catch (error) {
        now--;
        throw error;
      }
    },
  };
  if (driver.configure) watched.configure = (input) => driver.configure?.(input);
  if (driver.poolOptions) {
    watched.poolOptions = (given) => {
      const said = driver.poolOptions?.(given) ?? {};
      isPrivate = said.keepOne === true;
      return said;
    };
  }
  return {
    driver: watched,
    open,
    most: () => most,
    options: () => options,
    members: () => members,
    isPrivate: () => isPrivate,
  };
}

/** Calls `ended` when the session was closed or destroyed; the session itself stays the driver's. */
function watchEnd(connection: DriverConnection, ended: () => void): void {
  const close = connection.close.bind(connection);
  connection.close = async () => {
    try {
      await close();
    } finally {
      ended();
    }
  };
  if (!connection.destroy) return;
  const destroy = connection.destroy.bind(connection);
  connection.destroy = () => {
    try {
      destroy();
    } finally {
      ended();
    }
  };
}
