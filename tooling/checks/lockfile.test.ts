import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { checkLockfile } from './lockfile.ts';

test('the lockfile of this repository serves macOS and Windows too', () => {
  const path = resolve(import.meta.dirname, '../../pnpm-lock.yaml');
  expect(checkLockfile(readFileSync(path, 'utf8'))).toEqual([]);
});

test('a complete family passes in every spelling', () => {
  const lockfile = lock(
    '@esbuild/linux-x64@1.0.0',
    '@esbuild/darwin-arm64@1.0.0',
    '@esbuild/win32-x64@1.0.0',
    '@turbo/linux-64@2.0.0',
    '@turbo/darwin-arm64@2.0.0',
    '@turbo/windows-64@2.0.0',
    'lightningcss-linux-x64-gnu@3.0.0',
    'lightningcss-linux-x64-musl@3.0.0',
    'lightningcss-darwin-arm64@3.0.0',
    'lightningcss-win32-x64-msvc@3.0.0',
  );
  expect(checkLockfile(lockfile)).toEqual([]);
});

test('a missing build and a build of another version are reported', () => {
  const lockfile = lock(
    '@esbuild/linux-x64@1.0.0',
    '@esbuild/darwin-arm64@0.9.0',
    '@esbuild/win32-x64@1.0.0',
    'oxlint-linux-x64-gnu@2.0.0',
    'oxlint-darwin-arm64@2.0.0',
  );
  expect(checkLockfile(lockfile)).toEqual([
    '@esbuild/linux-x64@1.0.0 has no build for macOS (arm64) in pnpm-lock.yaml',
    'oxlint-linux-x64-gnu@2.0.0 has no build for Windows (x64) in pnpm-lock.yaml',
  ]);
});

test('only the packages section counts', () => {
  const lockfile = `${lock('@esbuild/linux-x64@1.0.0')}\nsnapshots:\n\n  '@esbuild/darwin-arm64@1.0.0': {}\n  '@esbuild/win32-x64@1.0.0': {}\n`;
  expect(checkLockfile(lockfile)).toHaveLength(2);
});

function lock(...keys: string[]): string {
  const entries = keys.map((key) => {
    const name = key.startsWith('@') ? `'${key}'` : key;
    return `  ${name}:\n    resolution: {integrity: sha512-AAAA==}\n    cpu: [x64]\n`;
  });
  return `lockfileVersion: '9.0'\n\npackages:\n\n${entries.join('\n')}`;
}
