import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishedPackages } from '../../tooling/checks/published-packages.ts';
import { packedPackages } from '../setup/packed-packages.ts';
import { runAsStranger } from '../setup/run-as-stranger.ts';

const ROOT = resolve(import.meta.dirname, '../..');
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-arrival-'));
  for (const [name, tarball] of await packedPackages()) {
    await mkdir(join(home, name), { recursive: true });
    await runAsStranger('tar', ['-xzf', tarball, '-C', join(home, name)], home);
  }
}, 120_000);

afterAll(async () => {
  if (home !== '') await rm(home, { recursive: true, force: true });
});

describe.each(publishedPackages(ROOT).map(({ manifest }) => manifest.name))(
  '%s arrives',
  (name) => {
    const folder = (): string => join(home, name, 'package');

    test('without traces of the workspace', () => {
      const text = readFileSync(join(folder(), 'package.json'), 'utf8');
      expect(text).not.toMatch(/: "(?:workspace|catalog):/);
      const manifest = JSON.parse(text) as { exports?: unknown };
      expect(JSON.stringify(manifest.exports ?? {})).not.toContain('@dal/source');
      expect(globSync('**/*.test.*', { cwd: join(folder(), 'src') })).toEqual([]);
    });

    test('with its licence, its page, and every file that its manifest names', () => {
      expect(existsSync(join(folder(), 'LICENSE'))).toBe(true);
      expect(existsSync(join(folder(), 'README.md'))).toBe(true);
      const manifest = readFileSync(join(folder(), 'package.json'), 'utf8');
      const named = [...manifest.matchAll(/"(\.\/[^"*]+\.\w+)"/g)].map(([, path]) => path ?? '');
      expect(named.length).toBeGreaterThan(0);
      expect(named.filter((path) => !existsSync(join(folder(), path)))).toEqual([]);
    });
  },
);
