// Does what the guide "Write a driver in an afternoon" says, as somebody who has only the packages.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Card } from '@dal/testing/conformance';
import { afterAll, expect, test } from 'vitest';
import { installPacked } from '../setup/packed-packages.ts';
import { runAsStranger } from '../setup/run-as-stranger.ts';
import { type GuideStep, guideSteps } from './guide-steps.ts';
import { expectCard, runKit } from './run-kit.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'apps/examples/drivers/duckdb');
const steps = guideSteps(join(ROOT, 'apps/docs/src/guides/write-a-driver.md'), EXAMPLE);
const home = await mkdtemp(join(tmpdir(), 'dal-guide-'));
let folder = home;
const cards: Card[] = [];

afterAll(() => rm(home, { recursive: true, force: true }));

const commands: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  async 'npm create dal-driver@latest'(words) {
    // What npm would fetch comes from its tarball.
    const tools = join(home, 'tools');
    await installPacked(tools, { dependencies: { 'create-dal-driver': '*' } });
    await runAsStranger(join(tools, 'node_modules/.bin/create-dal-driver'), words, folder);
  },
  async cd([to = '']) {
    folder = join(folder, to);
    expect(existsSync(folder)).toBe(true);
  },
  async 'npm install'(words) {
    if (words.length === 0) await installPacked(folder, manifest());
    else await runAsStranger('npm', ['install', '--prefer-offline', ...words], folder);
  },
  async 'npm run'(words) {
    await runAsStranger('npm', ['run', ...words], folder);
  },
  async 'npm test'() {
    expect(manifest().scripts['test']).toBe('node --test');
    cards.push(await runKit(folder));
  },
};

for (const [index, step] of steps.entries()) {
  const name = step.does === 'run' ? step.command : `the file ${step.file}`;
  test(`${index + 1}. ${name}`, { timeout: 180_000 }, async () => {
    await expect(follow(step)).resolves.toBeUndefined();
  });
}

async function follow(step: GuideStep): Promise<void> {
  if (step.does === 'write') {
    await mkdir(dirname(join(folder, step.file)), { recursive: true });
    await writeFile(join(folder, step.file), step.text);
    return;
  }
  const known = Object.keys(commands).find((words) => step.command.startsWith(words));
  if (known === undefined) throw new Error(`No test can do this: ${step.command}`);
  const words = step.command.slice(known.length).trim();
  await commands[known]?.(words === '' ? [] : words.split(/\s+/));
}

test('the driver is green from the start, and at its end keeps the level that it declares', () => {
  expect(cards.map(({ name, level }) => [name, level])).toEqual([
    ['duckdb', 'steady'],
    ['duckdb', 'steady'],
  ]);
  expect(cards.map(({ driver }) => driver)).toEqual(['node:sqlite', '@duckdb/node-api']);
});

test('what the guide ends with is the example, its card included', async () => {
  const files = globSync('{src,test}/**/*.ts', { cwd: EXAMPLE }).toSorted();
  expect(files.length).toBeGreaterThanOrEqual(8);
  expect(globSync('{src,test}/**/*.ts', { cwd: folder }).toSorted()).toEqual(files);
  for (const file of [...files, 'tsconfig.json', 'tsconfig.build.json']) {
    expect(readFileSync(join(folder, file), 'utf8'), file).toBe(
      readFileSync(join(EXAMPLE, file), 'utf8'),
    );
  }
  await expectCard(cards.at(-1), EXAMPLE);
  const library = '@duckdb/node-api';
  const kept = JSON.parse(readFileSync(join(EXAMPLE, 'package.json'), 'utf8')) as Manifest;
  expect(manifest().dependencies[library]).toBe(kept.dependencies[library]);
});

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [other: string]: unknown;
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
