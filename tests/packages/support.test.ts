import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { publishedPackages } from '../../tooling/checks/published-packages.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'SUPPORT.md'), 'utf8');
/** Cells of a table by the first cell of their row. */
const cells = new Map(
  [...page.matchAll(/^\| ([^|-]+?) +\| ([^|]+?) +\|/gm)].map(([, name, cell]) => [name, cell]),
);

test('the versions of Node that the page names are those that CI runs', () => {
  const { jobs } = parse(readFileSync(join(ROOT, '.github/workflows/ci.yml'), 'utf8')) as {
    jobs: { versions: { strategy: { matrix: { include: { node: string | number }[] } } } };
  };
  const matrix = jobs.versions.strategy.matrix.include.map(({ node }) => String(node));
  expect([...new Set(matrix)]).toEqual(['22.14.0', '26']);
  expect([...cells.keys()]).toEqual(expect.arrayContaining(['24', '26', '22.14 or newer']));
  for (const { manifest } of publishedPackages(ROOT)) {
    expect(manifest.engines).toEqual({ node: '>=22.14' });
  }
});

// A server that was given by its address is the tester's own.
const own = inject('engines').filter(({ name, via }) => name !== 'sqlite' && via !== 'environment');
const rows = { postgres: 'PostgreSQL', mysql: 'MySQL', mariadb: 'MariaDB', sqlite: 'SQLite' };

test.each(own)('$name is tested in the version that the page names', ({ name, version }) => {
  const named = cells.get(rows[name]);
  expect(named).toMatch(/^\d+/);
  expect(`${version}.`).toMatch(new RegExp(`^${named}\\.`));
});
