import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkManifests } from './manifests.ts';

const PUBLISHED = { types: './dist/index.d.ts', default: './dist/index.js' };
const SOUND = {
  name: '@dal/hats',
  license: 'MIT',
  type: 'module',
  sideEffects: false,
  exports: {
    '.': { '@dal/source': './src/index.ts', ...PUBLISHED },
    './package.json': './package.json',
  },
  publishConfig: {
    access: 'public',
    exports: { '.': PUBLISHED, './package.json': './package.json' },
  },
  engines: { node: '>=22.14' },
};

test('the packages of this repository are fit to be published', () => {
  expect(checkManifests(resolve(import.meta.dirname, '../..'))).toEqual([]);
});

test('a sound manifest passes', () => {
  expect(check(SOUND)).toEqual([]);
});

test.each([
  [{ sideEffects: undefined }, 'sideEffects has to be false, for bundlers'],
  [{ sideEffects: ['./dist/main.js'] }, 'sideEffects has to be false, for bundlers'],
  [{ type: 'commonjs' }, 'type has to be "module"'],
  [{ license: 'ISC' }, 'license has to be "MIT"'],
  [{ engines: {} }, 'engines do not say which Node it needs'],
  [
    { publishConfig: { ...SOUND.publishConfig, access: 'restricted' } },
    'publishConfig.access has to be "public"',
  ],
  [
    { publishConfig: { access: 'public', exports: SOUND.exports } },
    'publishConfig.exports has to be exports without "@dal/source"',
  ],
])('%j is found', (change, sentence) => {
  expect(check({ ...SOUND, ...change })).toEqual([
    `packages/features/hats/package.json: ${sentence}`,
  ]);
});

test('types behind the code are found: Node would never look at them', () => {
  const wrong = { '.': { '@dal/source': './src/index.ts', default: 'x', types: 'y' } };
  const exports = { ...wrong, './package.json': './package.json' };
  const published = { '.': { default: 'x', types: 'y' }, './package.json': './package.json' };
  expect(
    check({ ...SOUND, exports, publishConfig: { access: 'public', exports: published } }),
  ).toEqual([
    'packages/features/hats/package.json: exports["."] has to name "@dal/source", "types" and "default", in this order',
  ]);
});

test('a module that is imported for its effects is found, and tests may', () => {
  const sources = {
    'src/index.ts': `import './register.ts';`,
    'src/hats.test.ts': `import './x.ts';`,
  };
  expect(check(SOUND, sources)).toEqual([
    'packages/features/hats/package.json: src/index.ts imports a module for its effects, and sideEffects is false',
  ]);
});

function check(manifest: object, sources: Readonly<Record<string, string>> = {}): string[] {
  const root = mkdtempSync(join(tmpdir(), 'dal-manifests-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries({
    ...sources,
    'package.json': JSON.stringify(manifest),
  })) {
    const path = join(root, 'packages/features/hats', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return checkManifests(root);
}
