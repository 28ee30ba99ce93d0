import {
  attributeNames,
  callMetrics,
  type Metric,
  ownMetrics,
  poolLevels,
  poolMetrics,
} from '../../packages/features/otel/src/names.ts';

/** Every metric that the shipped files ask for, by the names that this package sends. */
export const metrics: typeof callMetrics &
  typeof poolMetrics &
  typeof poolLevels &
  typeof ownMetrics = { ...callMetrics, ...poolMetrics, ...poolLevels, ...ownMetrics };

/** Not of this package: the nearer of the two limits of a process, as a share from 0 to 1. */
export const memory: Metric = {
  name: 'process.memory.utilization',
  unit: '1',
  description: 'Share of its memory that the process uses.',
};

type Part = 'bucket' | 'count' | 'sum' | 'total';

/**
 * Selects a metric by both names that it may have in Prometheus: a scraped one has no unit in its
 * name, one that was pushed by OTLP has.
 */
export function series(metric: Metric, part?: Part, having: readonly string[] = []): string {
  const name = promName(metric.name);
  const suffix = part === undefined ? '' : `_${part}`;
  const unit = unitSuffixes[metric.unit];
  const labels = having.join(', ');
  if (unit === undefined) return `${name}${suffix}${labels && `{${labels}}`}`;
  return `{__name__=~"${name}(${unit})?${suffix}"${labels && `, ${labels}`}}`;
}

/** Units in curly brackets are no part of a name. */
const unitSuffixes: Readonly<Record<string, string | undefined>> = { s: '_seconds', '1': '_ratio' };

/** The name of a metric or an attribute in Prometheus, without a unit. */
export function promName(name: string): string {
  return name.replaceAll('.', '_');
}

/** Labels by the keys of `attributeNames`. */
export const label: Readonly<Record<keyof typeof attributeNames, string>> = Object.fromEntries(
  Object.entries(attributeNames).map(([key, name]) => [key, promName(name)]),
) as Record<keyof typeof attributeNames, string>;

/** One pool of one process. */
export const POOL: string = ['job', 'instance', label.poolName].join(', ');
/** One server, as all processes of a job see it. */
export const SERVER: string = [
  'job',
  label.system,
  label.namespace,
  label.serverAddress,
  label.serverPort,
].join(', ');
/** One kind of statement on one server. */
export const STATEMENT: string = ['job', label.system, label.namespace, label.summary].join(', ');

/** Ended well. */
export const succeeded: string = `${label.errorType}=""`;

/**
 * Ended because there was no server, or no line to it: DAL's own words, SQLSTATE classes 08 and 57P,
 * and what servers say when they go or are full.
 */
export const lostServer: string = `${label.errorType}=~"${[
  'connection',
  'connection_lost',
  'connection_dropped',
  'connect_timeout',
  'ping_timeout',
  'not_ready',
  'no_server',
  'overloaded',
  'circuit_open',
  'sqlite_session_lost',
  'sqlite_connect_timeout',
  '08...',
  '57P0.',
  '53300',
  '1040',
  '1053',
  '1927',
  '3169',
  '4031',
].join('|')}"`;

/** A length of time as Prometheus writes it. */
function duration(ms: number): string {
  const [size, unit] = units.find(([each]) => ms % each === 0) ?? [1, 'ms'];
  return `${ms / size}${unit}`;
}

const units = [
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
] as const;

/** Lengths of time in an expression, such as `[5m]`; the drill turns minutes into seconds. */
export type Window = (minutes: number) => string;

/** @param minuteMs how long a minute is; anything but 60,000 is for drills only */
export function windowOf(minuteMs = 60_000): Window {
  return (minutes) => duration(minutes * minuteMs);
}
