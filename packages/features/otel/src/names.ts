// Every name that leaves this package. The conventions' own are compared with the published package
// by names.test.ts; those that may still be renamed there are copied, so that a program doesn't
// depend on which version of it is installed.

/** Under which meters and tracers are asked for. */
export const SCOPE = '@dal/otel';

/** Bounds of buckets for seconds; without them the SDK takes those for milliseconds. */
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** Bounds of its buckets, for histograms. */
  readonly buckets?: number[];
}

type Metrics<Key extends string> = Readonly<Record<Key, Metric>>;

/** Metrics of calls. */
export const callMetrics: Metrics<'duration' | 'returnedRows'> = {
  duration: {
    name: 'db.client.operation.duration',
    unit: 's',
    description: 'From the call to its answer, with waits and retries.',
    buckets: SECONDS,
  },
  returnedRows: {
    name: 'db.client.response.returned_rows',
    unit: '{row}',
    description: 'Rows that a call returned.',
    buckets: ROWS,
  },
};

/** Metrics of pools: how long things took, and what went wrong. */
export const poolMetrics: Metrics<'createTime' | 'waitTime' | 'useTime' | 'timeouts'> = {
  createTime: {
    name: 'db.client.connection.create_time',
    unit: 's',
    description: 'How long it took to open a connection.',
    buckets: SECONDS,
  },
  waitTime: {
    name: 'db.client.connection.wait_time',
    unit: 's',
    description: 'How long a caller waited for the connection that it got.',
    buckets: SECONDS,
  },
  useTime: {
    name: 'db.client.connection.use_time',
    unit: 's',
    description: 'How long a connection was lent.',
    buckets: SECONDS,
  },
  timeouts: {
    name: 'db.client.connection.timeouts',
    unit: '{timeout}',
    description: 'Callers that waited for a connection in vain, while all were lent.',
  },
};

/** Metrics of pools: what they are like at the moment of the collection. */
export const poolLevels: Metrics<'count' | 'idleMax' | 'idleMin' | 'limit' | 'pendingRequests'> = {
  count: {
    name: 'db.client.connection.count',
    unit: '{connection}',
    description: 'Open connections, by what they do.',
  },
  idleMax: {
    name: 'db.client.connection.idle.max',
    unit: '{connection}',
    description: 'Idle connections that are kept at the most.',
  },
  idleMin: {
    name: 'db.client.connection.idle.min',
    unit: '{connection}',
    description: 'Connections that are kept even when nobody needs them.',
  },
  limit: {
    name: 'db.client.connection.limit',
    unit: '{connection}',
    description: 'Connections that there may be at the same time.',
  },
  pendingRequests: {
    name: 'db.client.connection.pending_requests',
    unit: '{request}',
    description: 'Callers that wait for a connection now.',
  },
};

/** Metrics that the conventions don't have. */
export const ownMetrics: Metrics<'scalingLevel'> = {
  scalingLevel: {
    name: 'dal.scaling.level',
    unit: '{level}',
    description: 'Pressure on the pool: 0 normal, 1 mild, 2 high, 3 critical.',
  },
};

/** Every metric by its name. */
export const metricNames: readonly string[] = [
  callMetrics,
  poolMetrics,
  poolLevels,
  ownMetrics,
].flatMap((group) => Object.values<Metric>(group).map(({ name }) => name));

export const attributeNames = {
  system: 'db.system.name',
  namespace: 'db.namespace',
  summary: 'db.query.summary',
  text: 'db.query.text',
  batchSize: 'db.operation.batch.size',
  procedure: 'db.stored_procedure.name',
  statusCode: 'db.response.status_code',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  poolName: 'db.client.connection.pool.name',
  state: 'db.client.connection.state',
} as const;

/** Attributes that the conventions don't have. */
export const ownAttributes = {
  /** How often a call or a transaction was tried; only when that is more than once. */
  attempts: 'dal.attempts',
  /** Which attempt of its call this one is, counted from 1. */
  attempt: 'dal.attempt',
} as const;

export const states = { idle: 'idle', used: 'used' } as const;

/** Ports that need no mention. */
export const defaultPorts: Readonly<Record<string, number>> = {
  postgresql: 5432,
  mysql: 3306,
  mariadb: 3306,
};

/** `error.type` of what has no name. */
export const OTHER_ERROR = '_OTHER';
