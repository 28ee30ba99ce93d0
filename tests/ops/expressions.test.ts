import { type MetricsServer, startPrometheus } from '@dal/testing/servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Metric } from '../../packages/features/otel/src/names.ts';
import { alerts } from '../../tooling/ops/alerts.ts';
import { rows } from '../../tooling/ops/panels.ts';
import { label, memory, metrics, windowOf } from '../../tooling/ops/promql.ts';
import { recorded, records } from '../../tooling/ops/records.ts';
import { filledIn } from './filled-in.ts';

/** A part of an expression as Prometheus understands it. */
interface Node {
  readonly type: string;
  readonly matchers?: readonly { name: string; type: string; value: string }[];
  readonly grouping?: readonly string[];
}

const expressions = [
  ...records(windowOf()).map(({ record, expr }) => [record, expr] as const),
  ...alerts(windowOf()).map(({ alert, expr }) => [alert, expr] as const),
  ...rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr }) => [title, filledIn(expr)] as const),
    ),
  ),
];

let prometheus: MetricsServer;

beforeAll(async () => {
  prometheus = await startPrometheus();
});

afterAll(() => prometheus[Symbol.asyncDispose]());

test.each(expressions)('%s asks for metrics and labels that exist', async (_, expr) => {
  const nodes = partsOf(await prometheus.ask('parse_query', { query: expr }));
  const selectors = nodes.filter(
    ({ type }) => type === 'vectorSelector' || type === 'matrixSelector',
  );
  expect(selectors.length).toBeGreaterThan(0);
  for (const { matchers = [] } of selectors) {
    const name = matchers.find((matcher) => matcher.name === '__name__');
    expect(stylesOf(name!), name!.value).toEqual(expectedStyles(name!.value));
    for (const other of matchers) expect(labels).toContain(other.name);
  }
  for (const { grouping = [] } of nodes) {
    for (const one of grouping) expect(labels).toContain(one);
  }
});

const labels = [...Object.values(label), 'job', 'instance', '__name__', 'le'];
const all: readonly Metric[] = [...Object.values(metrics), memory];

/** The names that metrics have when they are scraped, and when they are pushed by OTLP. */
const names = {
  scraped: all.flatMap((metric) => partNames(metric, '')),
  pushed: all.flatMap((metric) =>
    partNames(metric, { s: '_seconds', '1': '_ratio' }[metric.unit] ?? ''),
  ),
  recorded: Object.values(recorded) as readonly string[],
};

function partNames({ name, unit, buckets }: Metric, suffix: string): string[] {
  const full = `${name.replaceAll('.', '_')}${suffix}`;
  if (buckets) return ['_bucket', '_count', '_sum'].map((part) => `${full}${part}`);
  return [unit === '{timeout}' ? `${full}_total` : full];
}

/** In which styles of names the selector finds exactly one metric. */
function stylesOf({ type, value }: { type: string; value: string }): string[] {
  const pattern = new RegExp(`^(?:${value})$`);
  const isMeant = (name: string): boolean => (type === '=~' ? pattern.test(name) : name === value);
  return Object.entries(names)
    .filter(([, list]) => new Set(list.filter(isMeant)).size === 1)
    .map(([style]) => style);
}

function expectedStyles(name: string): string[] {
  return name.startsWith('dal:') ? ['recorded'] : ['scraped', 'pushed'];
}

function partsOf(tree: unknown): Node[] {
  if (typeof tree !== 'object' || tree === null) return [];
  const inner = Object.values(tree).flatMap(partsOf);
  return 'type' in tree ? [tree as Node, ...inner] : inner;
}
