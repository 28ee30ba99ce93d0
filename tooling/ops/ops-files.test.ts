import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dashboard } from './dashboard.ts';
import { OPS_FOLDER, opsFiles } from './ops-files.ts';

const folder = join(import.meta.dirname, '..', '..', OPS_FOLDER);

test('the shipped files are what their source makes; else run `pnpm ops`', () => {
  const files = opsFiles();
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(files).toSorted());
  for (const [name, text] of Object.entries(files)) {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  }
});

test('the package ships them', () => {
  const manifest = readFileSync(join(folder, '..', 'package.json'), 'utf8');
  expect((JSON.parse(manifest) as { files: string[] }).files).toContain('ops');
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

const { panels, templating, schemaVersion } = dashboard() as unknown as {
  panels: readonly Panel[];
  templating: { list: readonly { name: string }[] };
  schemaVersion: number;
};

test('panels have ids and places of their own', () => {
  expect(schemaVersion).toBeGreaterThan(30);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos } of panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x}:${y}`), title).toBe(false);
        taken.add(`${x}:${y}`);
      }
    }
  }
});

test('every panel asks the chosen data source, and knows all variables that it names', () => {
  const variables = templating.list.map(({ name }) => name);
  for (const { type, title, datasource, targets = [] } of panels) {
    if (type === 'row') continue;
    expect(datasource?.uid).toBe('${datasource}');
    expect(targets.length, title).toBeGreaterThan(0);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    for (const { expr } of targets) {
      for (const [, name] of expr.matchAll(/\$(\w+)/g)) {
        expect([...variables, '__rate_interval']).toContain(name);
      }
    }
  }
});
