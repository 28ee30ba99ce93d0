import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import type { ObserveFigures } from '../src/observe.ts';

const main = join(import.meta.dirname, '../src/main.ts');
const postgres = inject('engines').find(({ name }) => name === 'postgres');

test.runIf(postgres)(
  'observe measures everybody with and without',
  { timeout: 120_000 },
  async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@dal/source', main, 'observe', '--rounds', '1', '--json'],
      { env: { ...process.env, DAL_TEST_POSTGRES_URL: postgres!.url, NODE_OPTIONS: '' } },
    );
    const { layer, postgres: onServer, aims } = JSON.parse(stdout) as ObserveFigures;
    for (const { name, cpuUs, comparedWith } of [...layer, ...onServer]) {
      expect(cpuUs.median, name).toBeGreaterThan(0);
      expect(comparedWith).not.toBe('');
    }
    expect(layer.map(({ name }) => name)).toContain('no channels');
    const cost = (name: string): number => layer.find((one) => one.name === name)!.extraUs.median;
    // A span for each call can't be free: were it, nothing would have been switched on.
    expect(cost('metrics and spans')).toBeGreaterThan(0.5);
    expect(new Set(onServer.map(({ callers }) => callers))).toEqual(new Set([1, 20]));
    expect(aims).toHaveLength(1);
  },
);
