import { integer, type OptionReader, readOptions, wrongOption } from '@dal/core';

export interface CapacityOptions {
  /** Connections of all app servers of a shard together. Default: `appServers x connectionsPerServer`. */
  readonly connections?: number;
  /** For each shard. Default: 1. */
  readonly appServers?: number;
  /** The pool's `max` on each of them. Default: 20. */
  readonly connectionsPerServer?: number;
  /** Connections that one database server takes. Default: any number. */
  readonly databaseConnections?: number;
  /** Databases that share the users between them, each with app servers of its own. Default: 1. */
  readonly shards?: number;
  /** How long a connection is lent for one request, in milliseconds. Default: 100. */
  readonly queryMs?: number;
  /** Requests that a user who is there makes in a second. Default: 1. */
  readonly requestsPerUserSecond?: number;
  /** Users with an account for each one who is there. Default: 10. */
  readonly activePerConcurrent?: number;
}

/** What so many connections carry. */
export interface Capacity {
  /** Those that can be used: no more than the databases take. */
  readonly connections: number;
  /** Asked for beyond what the databases take. */
  readonly refusedConnections: number;
  readonly queriesPerSecond: number;
  readonly concurrentUsers: number;
  readonly activeUsers: number;
  /** What has to grow first. */
  readonly limitedBy: 'connections' | 'database';
  /** How `concurrentUsers` comes about, with the numbers in it. */
  readonly formula: string;
  /** The formula, so that it can be printed. */
  toString(): string;
}

/**
 * Little's law: a connection that is lent for 100 ms at a time serves 10 requests a second, so 20 of
 * them serve 200. A user who makes one request a second is one of these.
 *
 * It is what is possible with every connection in use all of the time; near that, callers wait.
 *
 * @throws ConfigError that names the option
 */
export function capacity(options: CapacityOptions = {}): Capacity {
  const {
    appServers = 1,
    connectionsPerServer = 20,
    connections: asked = appServers * connectionsPerServer,
    databaseConnections = Infinity,
    shards = 1,
    queryMs = 100,
    requestsPerUserSecond = 1,
    activePerConcurrent = 10,
  } = readOptions('capacity', { ...options }, readers);
  const perShard = Math.min(asked, databaseConnections);
  const connections = perShard * shards;
  const queriesPerSecond = tidy((connections * 1_000) / queryMs);
  const concurrentUsers = Math.floor(tidy(queriesPerSecond / requestsPerUserSecond));
  const parts = shards > 1 ? `${shards} shards x ${perShard}` : `${perShard}`;
  const formula = `${parts} connections x 1,000 / ${number(queryMs)} ms = ${number(queriesPerSecond)} queries/s; / ${number(requestsPerUserSecond)} a user and second = ${number(concurrentUsers)} concurrent users`;
  return {
    connections,
    refusedConnections: (asked - perShard) * shards,
    queriesPerSecond,
    concurrentUsers,
    activeUsers: Math.floor(tidy(concurrentUsers * activePerConcurrent)),
    limitedBy: asked > databaseConnections ? 'database' : 'connections',
    formula,
    toString: () => formula,
  };
}

/** For people: `5,000`, `0.5`. */
export function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** Without the dust of binary fractions, which `floor` would make a whole user of. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

const positive: OptionReader<number> = (value, where) => {
  if (typeof value === 'number' && value > 0 && value <= 1e9) return value;
  throw wrongOption(where, 'a number above 0', value);
};

const count = integer(1, 1_000_000_000);

const readers = {
  connections: count,
  appServers: count,
  connectionsPerServer: count,
  databaseConnections: count,
  shards: count,
  queryMs: positive,
  requestsPerUserSecond: positive,
  activePerConcurrent: positive,
} satisfies Record<keyof CapacityOptions, unknown>;
