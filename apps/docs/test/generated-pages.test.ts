// The pages that are made of the code: nothing that the code has is missing in them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPoolOptions } from '@dal/pool';
import { expect, onTestFinished, test } from 'vitest';
import { benchPage } from '../tooling/bench-page.ts';
import { adviceProblems, errorPage, readErrors } from '../tooling/errors/error-page.ts';
import { errorSites } from '../tooling/errors/error-sites.ts';
import { optionPage } from '../tooling/options/option-page.ts';
import { ROOT } from '../tooling/workspace.ts';

const errors = readErrors(ROOT);

test('every code and every kind of the sources has its advice, and no other', () => {
  expect(adviceProblems(errors)).toEqual([]);
});

test('a code that is new, and one that is gone, are told', () => {
  const [site] = errorSites(ROOT);
  const sites = new Map([
    ...errors.sites,
    ['DAL_BRAND_NEW', [{ ...site!, code: 'DAL_BRAND_NEW' }]],
  ]);
  sites.delete('DAL_CLOSED');
  expect(adviceProblems({ ...errors, sites })).toEqual([
    'code-advice.ts: DAL_BRAND_NEW is missing',
    'code-advice.ts: nobody has DAL_CLOSED',
  ]);
});

test('the page of errors has every class, kind and code, and the codes of the servers', () => {
  const page = errorPage(errors);
  for (const { name } of errors.classes) expect(page).toContain(`[\`${name}\`]`);
  for (const kind of errors.kinds.keys()) expect(page).toContain(`{#kind-${kind}}`);
  for (const code of errors.sites.keys()) expect(page).toContain(`### \`${code}\``);
  expect(errors.classes.length).toBeGreaterThan(15);
  expect(errors.sites.size).toBeGreaterThan(100);
  expect(errors.kinds.get('unique')?.get('PostgreSQL')).toContain('23505');
  expect(errors.kinds.get('check')?.get('MariaDB')).toContain('4025');
  expect(errors.kinds.get('lockTimeout')?.get('SQLite')).toContain('SQLITE_BUSY');
  expect(page).toContain('No connection within … on');
});

test('codes are found where an error or a warning gets them, not where they are compared', () => {
  const root = mkdtempSync(join(tmpdir(), 'dal-docs-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'packages/a/b/src');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'x.ts'),
    `if (error.code === 'DAL_ASKED') throw new PoolError(\`No \${what} of "\${name}".\`, { code: 'DAL_THROWN' });
process.emitWarning('Look.', { code: 'DAL_WARNED' });
const prefix = 'DAL_PREFIX_';`,
  );
  const file = 'packages/a/b/src/x.ts';
  expect(errorSites(root)).toEqual([
    { code: 'DAL_THROWN', file, line: 1, thrown: 'PoolError', words: 'No … of "…".' },
    { code: 'DAL_WARNED', file, line: 2, thrown: 'warning', words: 'Look.' },
  ]);
});

test('the page of options has every option of the pool, with its default', () => {
  const page = optionPage(ROOT);
  for (const option of Object.keys(readPoolOptions({})))
    expect(page).toContain(`\n| \`${option}\`<br>`);
  expect(page).toContain('| `acquireTimeoutMs`<br>`number \\| string` | 10 s |');
  expect(page).toContain('`acquire_timeout`');
});

test('results of benchmarks are shown as they were saved; another file is refused', () => {
  const root = mkdtempSync(join(tmpdir(), 'dal-docs-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  expect(benchPage(root)).toContain('| Pools by themselves | `pnpm bench checkout` |');
  const folder = join(root, 'apps/bench/results');
  mkdirSync(folder, { recursive: true });
  const saved = {
    date: '2026-01-31T12:00:00.000Z',
    command: 'bench checkout --quick',
    machine: 'Node v24, 2 cores',
    shown: ['Node v24, 2 cores.', '1 caller  p50 us\ndal  0.42'],
  };
  writeFileSync(join(folder, 'checkout.json'), JSON.stringify(saved));
  expect(benchPage(root)).toContain(
    '`pnpm bench checkout --quick`, 2026-01-31. Node v24, 2 cores.\n\n```text\n1 caller  p50 us\ndal  0.42\n```',
  );
  expect(benchPage(root)).not.toContain('`pnpm bench checkout` |');
  writeFileSync(join(folder, 'other.json'), '{}');
  expect(() => benchPage(root)).toThrow('other.json was not written by "pnpm bench ... --save"');
});
