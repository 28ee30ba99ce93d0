import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkBudgets, newBudgets } from './budgets.ts';
import { type Weight, weigh } from './package-weight.ts';

const WEIGHT: Weight = {
  unpackedBytes: 40_000,
  bundledBytes: 9_000,
  modules: 12,
  importRatio: 1.5,
};
const weights = new Map([['@dal/hats', WEIGHT]]);

test('a package that keeps to its budget passes, also when it needs all of it', () => {
  expect(checkBudgets(weights, { '@dal/hats': WEIGHT })).toEqual([]);
});

test('each weight has its budget', () => {
  const budget: Weight = {
    unpackedBytes: 39_999,
    bundledBytes: 8_999,
    modules: 11,
    importRatio: 1.4,
  };
  expect(checkBudgets(weights, { '@dal/hats': budget })).toEqual([
    '@dal/hats: 40000 bytes when unpacked, and its budget is 39999',
    '@dal/hats: 9000 bytes of code when bundled and minified, and its budget is 8999',
    '@dal/hats: 12 modules loaded by an import, and its budget is 11',
    '@dal/hats: 1.5 times the CPU of starting Node to import it, and its budget is 1.4',
  ]);
});

test('a package without a budget, and a budget without a package, are found', () => {
  expect(checkBudgets(weights, { '@dal/caps': WEIGHT })).toEqual([
    '@dal/hats has no budget',
    '@dal/caps has a budget and is no package',
  ]);
});

test('a new budget leaves some room, and one that suffices stays', () => {
  const before = { '@dal/hats': { ...WEIGHT, bundledBytes: 20_000 }, '@dal/caps': WEIGHT };
  expect(newBudgets(weights, before)).toEqual({ '@dal/hats': before['@dal/hats'] });
  const [budget] = Object.values(newBudgets(weights, {}));
  expect(budget).toEqual({
    unpackedBytes: 50_000,
    bundledBytes: 10_000,
    modules: 14,
    importRatio: 3,
  });
});

// Loaded modules can be counted from Node 22.15 on.
test.skipIf(!('registerHooks' in Module))(
  'a package is weighed as those carry it who install and load it',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dal-weight-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const exports = { '.': { types: './dist/index.d.ts', default: './dist/index.js' } };
    const manifest = { name: '@dal/hats', type: 'module', exports };
    mkdirSync(join(folder, 'dist'));
    const files = {
      'package.json': JSON.stringify(manifest),
      'dist/index.js': `import 'node:net';\nexport { hat } from './hat.js';\n// ${'x'.repeat(10_000)}\n`,
      'dist/hat.js': 'export const hat = 1;\n',
      'dist/unused.js': 'export const unused = 2;\n',
    };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    const tarball = join(folder, 'hats.tgz');
    execFileSync('tar', ['-czf', tarball, ...Object.keys(files)], { cwd: folder });

    const weight = await weigh({ folder, manifest }, tarball);
    expect(weight.unpackedBytes).toBe(Object.values(files).join('').length);
    // A comment is no code.
    expect(weight.bundledBytes).toBeGreaterThan(20);
    expect(weight.bundledBytes).toBeLessThan(200);
    expect(weight.modules).toBe(2);
    expect(weight.importRatio).toBeGreaterThan(0);
  },
);
