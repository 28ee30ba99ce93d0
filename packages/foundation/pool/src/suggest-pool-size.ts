import { availableParallelism, totalmem } from 'node:os';
import { ConfigError, unknownOption } from '@dal/core';

/** What is known of the machines. Whatever is absent bounds nothing. */
export interface PoolSizeFacts {
  /** CPU cores of the database server. Default: those of this machine. */
  readonly cpus?: number;
  /** Disks that the server can wait for at the same time; 1 for SSDs and for data in memory. Default: 1. */
  readonly disks?: number;
  /** Memory in bytes that this process may use. Default: the container's limit, or the machine's memory. */
  readonly memory?: number;
  /** The server's own limit of connections, such as PostgreSQL's `max_connections`. */
  readonly serverMax?: number;
  /** Places that are not for us: the superuser's, of other programs, of people. Default: 0. */
  readonly reserved?: number;
  /** Processes with a pool like this one; during a deployment there are more of them. Default: 1. */
  readonly instances?: number;
  /** Statements a second of all instances together, together with `statementMs`. */
  readonly statementsPerSecond?: number;
  /** How long a connection is held for one of them on average. */
  readonly statementMs?: number;
}

export interface SuggestedPoolSize {
  readonly min: number;
  readonly max: number;
  /** Which rule decided `max`. */
  readonly limitedBy: 'cpus' | 'load' | 'memory' | 'server';
  /** The rules with their numbers, for people. */
  readonly why: string;
}

/** Buffers, prepared statements and a result under way, for each connection. */
const BYTES_PER_CONNECTION = 2 * 2 ** 20;
/** The rest of the memory is the program's. */
const SHARE_OF_MEMORY = 0.25;
/** With all connections busy all the time, every request waits. */
const BUSY_AT_MOST = 0.7;
/** One that is held for long must not stop everything else. */
const FEWEST = 2;

const known = [
  'cpus',
  'disks',
  'memory',
  'serverMax',
  'reserved',
  'instances',
  'statementsPerSecond',
  'statementMs',
] as const;

/**
 * How many connections a pool should have. The same facts always give the same answer; nothing is
 * asked of a server.
 *
 * 1. A server works on `cpus x 2 + disks` statements at a time; more only wait for each other. All
 *    `instances` share them, and each has 2 at least.
 * 2. With a known load, Little's law says how many are busy: `statementsPerSecond x statementMs`. A
 *    pool that is 70 % busy can bear it. When that is more than rule 1 says, the connections mostly
 *    wait for something else than the server's CPU, and the load counts.
 * 3. Never more than fits into a quarter of this process's memory, at 2 MiB a connection.
 * 4. Never more than this instance's part of the server's places: `(serverMax - reserved) / instances`.
 *
 * `min` is a quarter of it.
 *
 * @throws ConfigError when the server hasn't a place for every instance
 */
export function suggestPoolSize(facts: PoolSizeFacts = {}): SuggestedPoolSize {
  const cpus = amount(facts, 'cpus', availableParallelism(), 1);
  const disks = amount(facts, 'disks', 1, 0);
  const memory = amount(facts, 'memory', availableMemory(), 1);
  const instances = Math.ceil(amount(facts, 'instances', 1, 1));
  const reserved = amount(facts, 'reserved', 0, 0);
  const serverMax = amount(facts, 'serverMax', Infinity, 1);
  const perSecond = amount(facts, 'statementsPerSecond', 0, 0);
  const statementMs = amount(facts, 'statementMs', 0, 0);
  for (const key of Object.keys(facts)) {
    if (!(known as readonly string[]).includes(key))
      throw unknownOption('suggestPoolSize', key, known);
  }

  const useful = Math.max(FEWEST, Math.ceil((cpus * 2 + disks) / instances));
  const busy = (perSecond * statementMs) / 1_000 / instances;
  const needed = Math.ceil(busy / BUSY_AT_MOST);
  const fitting = Math.max(1, Math.floor((memory * SHARE_OF_MEMORY) / BYTES_PER_CONNECTION));
  const places = Math.floor((serverMax - reserved) / instances);
  if (places < 1) throw tooFewPlaces(serverMax, reserved, instances);

  const wanted = Math.max(useful, needed);
  const max = Math.min(wanted, fitting, places);
  const byWish = needed > useful ? 'load' : 'cpus';
  const limitedBy = max === wanted ? byWish : max === places ? 'server' : 'memory';
  const rules = [
    `${useful} are useful (${cpus} CPUs x 2 + ${disks} disks, shared by ${instances})`,
    ...(needed > 0 ? [`${needed} are needed (${busy.toFixed(1)} busy on average)`] : []),
    `${fitting} fit into the memory`,
    ...(places === Infinity
      ? []
      : [
          `${places} are this instance's part of the server's ${serverMax} less ${reserved} reserved`,
        ]),
  ];
  return { min: Math.floor(max / 4), max, limitedBy, why: `${max}: ${rules.join('; ')}.` };
}

function amount(
  facts: PoolSizeFacts,
  name: keyof PoolSizeFacts,
  otherwise: number,
  least: number,
): number {
  const value = facts[name] ?? otherwise;
  if (typeof value === 'number' && value >= least && !Number.isNaN(value)) return value;
  throw new ConfigError(`suggestPoolSize.${name} must be a number of ${least} or more.`, {
    kind: 'usage',
    code: 'DAL_CONFIG_VALUE',
  });
}

function availableMemory(): number {
  const constrained = process.constrainedMemory();
  // Without a limit the system answers 0 or a number beyond all memory.
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

function tooFewPlaces(serverMax: number, reserved: number, instances: number): ConfigError {
  return new ConfigError(
    `${instances} instances can't share ${Math.max(0, serverMax - reserved)} connections (the server's ${serverMax} less ${reserved} reserved). Raise the server's limit, run fewer instances, or put a pooler such as PgBouncer or ProxySQL in between.`,
    { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
  );
}
