import { type Panel, type Query, rows } from './panels.ts';
import { label, metrics, promName } from './promql.ts';

const HEIGHT = { stat: 5, timeseries: 8 } as const;
const source = { type: 'prometheus', uid: '${datasource}' } as const;
const colors = ['green', 'yellow', 'red'] as const;

/** The dashboard as Grafana (10 and newer) imports it. */
export function dashboard(): Readonly<Record<string, unknown>> {
  return {
    uid: 'dal-overview',
    title: 'DAL: databases of a service',
    description: 'Pools and calls of @dal/otel, scraped or pushed by OTLP.',
    tags: ['dal', 'database'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [],
    templating: { list: variables() },
    panels: placed(),
  };
}

function variables(): unknown[] {
  const limit = promName(metrics.limit.name);
  const ofLabel = (name: string, title: string, query: string): unknown => ({
    name,
    label: title,
    type: 'query',
    datasource: source,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  });
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
    ofLabel('job', 'Service', `label_values(${limit}, job)`),
    ofLabel('instance', 'Process', `label_values(${limit}{job=~"$job"}, instance)`),
    ofLabel('pool', 'Pool', `label_values(${limit}{job=~"$job"}, ${label.poolName})`),
  ];
}

function placed(): unknown[] {
  const panels: unknown[] = [];
  let id = 1;
  let y = 0;
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: id++,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of inRow) {
      if (x + panel.width > 24) {
        y += tallest;
        x = tallest = 0;
      }
      const h = HEIGHT[panel.kind];
      panels.push(drawn(panel, id++, { x, y, w: panel.width, h }));
      x += panel.width;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return panels;
}

function drawn(
  { title, description, kind, unit, queries, limits, words }: Panel,
  id: number,
  gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>,
): unknown {
  const steps = colors
    .map((color, index) => ({ color, value: index === 0 ? null : (limits?.[index - 1] ?? null) }))
    .slice(0, limits ? 3 : 1);
  const mappings = words
    ? [
        {
          type: 'value',
          options: Object.fromEntries(
            words.map(([text, color], index) => [index, { text, color, index }]),
          ),
        },
      ]
    : [];
  return {
    id,
    type: kind,
    title,
    description,
    datasource: source,
    gridPos,
    fieldConfig: {
      defaults: { unit, min: 0, mappings, thresholds: { mode: 'absolute', steps } },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { colorMode: 'background', graphMode: 'area', reduceOptions: { calcs: ['lastNotNull'] } }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: queries.map((query, index) => target(query, index)),
  };
}

function target({ expr, legend }: Query, index: number): unknown {
  return {
    refId: String.fromCodePoint(65 + index),
    datasource: source,
    expr,
    legendFormat: legend,
    range: true,
  };
}
