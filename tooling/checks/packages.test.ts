import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkTarball } from './packages.ts';

const SOUND = {
  'package.json': JSON.stringify({
    name: '@dal/hats',
    version: '0.1.0',
    type: 'module',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  }),
  'dist/index.js': 'export const hat = 1;\n',
  'dist/index.d.ts': 'export declare const hat: number;\n',
};

test('a sound package passes', async () => {
  expect(await check(SOUND)).toEqual([]);
});

test('an entry point that leads nowhere is found', async () => {
  const manifest = SOUND['package.json'].replace('index.js', 'hats.js');
  expect((await check({ ...SOUND, 'package.json': manifest })).join('\n')).toContain('hats.js');
});

test('types that are CommonJS while the code is not are found', async () => {
  const manifest = SOUND['package.json'].replace('index.d.ts', 'index.d.cts');
  const { 'dist/index.d.ts': types, ...files } = SOUND;
  const problems = await check({ ...files, 'package.json': manifest, 'dist/index.d.cts': types });
  expect(problems.join('\n')).toMatch(/FalseCJS/);
});

test('missing types are found', async () => {
  const { 'dist/index.d.ts': _, ...files } = SOUND;
  const manifest = SOUND['package.json'].replace('"types":"./dist/index.d.ts",', '');
  expect(await check({ ...files, 'package.json': manifest })).toEqual(['@dal/hats: has no types']);
});

async function check(files: Readonly<Record<string, string>>): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), 'dal-fit-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    const path = join(home, 'package', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  execFileSync('tar', ['-czf', 'hats.tgz', 'package'], { cwd: home });
  return checkTarball('@dal/hats', readFileSync(join(home, 'hats.tgz')));
}
