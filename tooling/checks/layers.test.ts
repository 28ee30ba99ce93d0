import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkLayers } from './layers.ts';

const ARCHITECTURE = {
  packages: {
    'packages/foundation/core': { imports: [], thirdParty: 'none' },
    'packages/drivers/*': { imports: ['packages/foundation/*'], tests: ['packages/testing'] },
    'packages/features/factory': {
      imports: ['packages/foundation/*'],
      loads: ['packages/drivers/*'],
    },
    'packages/features/*': { imports: ['packages/foundation/*'] },
    'packages/testing': { imports: ['packages/foundation/*'] },
  },
};

const CORE = manifest('@dal/core');
const POSTGRES = manifest('@dal/postgres', { dependencies: { '@dal/core': '*', pg: '*' } });
const FEATURE = manifest('@dal/otel', { dependencies: { '@dal/core': '*' } });
const FACTORY = manifest('@dal/factory', { dependencies: { '@dal/core': '*' } });

test('this repository follows its own map', () => {
  expect(checkLayers(resolve(import.meta.dirname, '../..'))).toEqual([]);
});

test('a tree that follows the map passes', () => {
  expect(
    check({
      'packages/foundation/core/package.json': CORE,
      'packages/foundation/core/src/index.ts': `import 'node:net';\nexport * from './sql.ts';`,
      'packages/foundation/core/src/sql.ts': 'export {};',
      'packages/drivers/postgres/package.json': POSTGRES,
      'packages/drivers/postgres/src/index.ts': `import { a } from '@dal/core';\nimport pg from 'pg';`,
      'packages/features/factory/package.json': FACTORY,
      'packages/features/factory/src/index.ts': `export const load = (n: string) => import(\`@dal/\${n}\`);`,
      'packages/drivers/postgres/src/pg.test.ts': `import { test } from 'vitest';\nimport 'pg';`,
    }),
  ).toEqual([]);
});

test('core imports nothing, neither a package of ours nor one from outside', () => {
  expect(
    check({
      'packages/foundation/core/package.json': manifest('@dal/core', {
        dependencies: { tarn: '*', '@dal/postgres': '*' },
      }),
      'packages/foundation/core/src/index.ts': `import 'tarn';\nimport '@dal/postgres';`,
      'packages/drivers/postgres/package.json': POSTGRES,
    }),
  ).toEqual([
    'packages/foundation/core/package.json: dependencies may not name tarn, this package stands on nothing',
    'packages/foundation/core/package.json: dependencies may not name @dal/postgres',
    'packages/foundation/core/src/index.ts:1: @dal/core stands on nothing and may not import tarn',
    'packages/foundation/core/src/index.ts:2: @dal/core may not import @dal/postgres',
  ]);
});

test.each([
  ['a value', `import { x } from '@dal/otel';`],
  ['a type', `import type { X } from '@dal/otel';`],
  ['a type in place', `export type X = import('@dal/otel').X;`],
  ['a re-export', `export * from '@dal/otel';`],
  ['a named re-export', `export { x } from '@dal/otel/sub';`],
  ['a late import', `export const x = (): unknown => import('@dal/otel');`],
  ['a template', 'export const x = (): unknown => import(`@dal/otel`);'],
  ['require', `export const x = require('@dal/otel');`],
  ['import equals', `import x = require('@dal/otel');`],
])('a driver does not know a feature: %s', (_way, source) => {
  expect(
    check({
      'packages/drivers/postgres/package.json': POSTGRES,
      'packages/drivers/postgres/src/index.ts': source,
      'packages/features/otel/package.json': FEATURE,
    }),
  ).toEqual(['packages/drivers/postgres/src/index.ts:1: @dal/postgres may not import @dal/otel']);
});

test('a feature does not know a driver, in code and in the manifest', () => {
  expect(
    check({
      'packages/features/otel/package.json': manifest('@dal/otel', {
        peerDependencies: { '@dal/postgres': '*' },
      }),
      'packages/features/otel/src/index.ts': `import type { X } from '@dal/postgres';`,
      'packages/drivers/postgres/package.json': POSTGRES,
    }),
  ).toEqual([
    'packages/features/otel/package.json: peerDependencies may not name @dal/postgres',
    'packages/features/otel/src/index.ts:1: @dal/otel may not import @dal/postgres',
  ]);
});

test('the factory loads drivers at run time only', () => {
  expect(checkFactory(`export const x = (): unknown => import('@dal/postgres');`)).toEqual([]);
  expect(checkFactory(`import { postgres } from '@dal/postgres';`)).toEqual([
    'packages/features/factory/src/index.ts:1: @dal/factory may not import @dal/postgres',
  ]);
});

test('a computed import is refused where nothing may be loaded', () => {
  expect(
    check({
      'packages/drivers/postgres/package.json': POSTGRES,
      'packages/drivers/postgres/src/index.ts': `\nexport const x = (n: string): unknown => import(n);`,
    }),
  ).toEqual([
    'packages/drivers/postgres/src/index.ts:2: imports a computed name; only a package with "loads" may',
  ]);
});

test('a dependency stands in the manifest and behind one file', () => {
  expect(
    check({
      'packages/drivers/postgres/package.json': POSTGRES,
      'packages/drivers/postgres/src/a.ts': `import pg from 'pg';\nimport 'pg-cursor';`,
      'packages/drivers/postgres/src/b.ts': `import type { Client } from 'pg';`,
    }),
  ).toEqual([
    'packages/drivers/postgres/src/a.ts:2: pg-cursor is missing in the dependencies of @dal/postgres',
    'packages/drivers/postgres: pg is imported in 2 files (packages/drivers/postgres/src/a.ts, packages/drivers/postgres/src/b.ts); keep it behind one',
  ]);
});

test('a relative path does not leave its package', () => {
  expect(
    check({
      'packages/drivers/postgres/package.json': POSTGRES,
      'packages/drivers/postgres/src/index.ts': `import '../../../foundation/core/src/index.ts';`,
    }),
  ).toEqual([
    "packages/drivers/postgres/src/index.ts:1: '../../../foundation/core/src/index.ts' leaves the package; import it by its name",
  ]);
});

test('a package without a rule is refused', () => {
  expect(check({ 'packages/foundation/surprise/package.json': manifest('@dal/surprise') })).toEqual(
    ['packages/foundation/surprise: no rule in architecture.json says what it may import'],
  );
});

function manifest(name: string, fields: Record<string, Record<string, string>> = {}): string {
  return JSON.stringify({ name, ...fields });
}

function checkFactory(source: string): string[] {
  return check({
    'packages/features/factory/package.json': FACTORY,
    'packages/features/factory/src/index.ts': source,
    'packages/drivers/postgres/package.json': POSTGRES,
  });
}

function check(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'dal-layers-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries({
    'architecture.json': JSON.stringify(ARCHITECTURE),
    ...files,
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkLayers(root);
}
