import {
  renameSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { reportApis } from './api-report.ts';

// Each report reads the declarations of Node.
vi.setConfig({ testTimeout: 60_000 });

const REPORT = 'packages/features/hats/api/hats.api.md';
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dal-api-'));
  // Types of Node come from here.
  symlinkSync(resolve(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'));
  write('packages/features/hats/package.json', {
    name: '@dal/hats',
    version: '0.0.0',
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  });
  write(
    'packages/features/hats/dist/index.d.ts',
    'export declare function hat(size: number): string;',
  );
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a report says what a package offers, and every change of that is noticed', async () => {
  expect(await reportApis(root, { write: true })).toEqual([]);
  expect(readFileSync(join(root, REPORT), 'utf8')).toContain('function hat(size: number): string;');
  expect(await reportApis(root)).toEqual([]);

  write(
    'packages/features/hats/dist/index.d.ts',
    'export declare function hat(size: bigint): string;',
  );
  const [diff, sentence] = await reportApis(root);
  expect(diff).toContain('-export function hat(size: number): string;');
  expect(diff).toContain('+export function hat(size: bigint): string;');
  expect(sentence).toBe(`${REPORT} does not say what is offered now`);
});

test('a report of what is gone is noticed, and goes', async () => {
  await reportApis(root, { write: true });
  const old = 'packages/features/hats/api/caps.api.md';
  renameSync(join(root, REPORT), join(root, old));
  expect(await reportApis(root)).toEqual([
    `${REPORT} does not say what is offered now`,
    `${old} belongs to no entry point`,
  ]);
  expect(await reportApis(root, { write: true })).toEqual([]);
  expect(existsSync(join(root, old))).toBe(false);
});

test('a package that is not built is no package without an API', async () => {
  rmSync(join(root, 'packages/features/hats/dist'), { recursive: true });
  expect(await reportApis(root)).toEqual([
    'packages/features/hats/dist/index.d.ts is not there: run `pnpm build`',
  ]);
});

function write(path: string, content: unknown): void {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}
