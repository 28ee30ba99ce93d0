import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const VITEST = resolve(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
const REPORTER = pathToFileURL(join(import.meta.dirname, 'closing-line-reporter.ts')).href;

test('counts passed, failed and skipped tests', () => {
  const { lastLine, status } = runVitest({
    'a.test.js': `test('a', () => {}); test('b', () => { throw new Error('no'); }); test.skip('c', () => {});`,
  });
  expect(lastLine).toBe('1 passed, 1 failed, 1 skipped');
  expect(status).toBe(1);
});

test('says nothing about skipped tests when there are none', () => {
  const { lastLine, status } = runVitest({ 'a.test.js': `test('a', () => {});` });
  expect(lastLine).toBe('1 passed, 0 failed');
  expect(status).toBe(0);
});

test.each([
  ['a file that cannot be loaded', { 'b.test.js': `import './absent.js';` }],
  ['a suite hook that throws', { 'b.test.js': `beforeAll(() => { throw new Error('no'); });` }],
  [
    'a lost rejection',
    { 'b.test.js': `test('b', () => { void Promise.reject(new Error('no')); });` },
  ],
  [
    'a global setup that throws',
    { 'setup.js': `export default () => { throw new Error('no'); };` },
  ],
])('%s is a failure', (_what, files) => {
  const { lastLine, status } = runVitest({ 'a.test.js': `test('a', () => {});`, ...files });
  expect(lastLine).toMatch(/^\d+ passed, [1-9]\d* failed/);
  expect(status).not.toBe(0);
});

test('a run without any test is a failure', () => {
  expect(runVitest({})).toEqual({ lastLine: '0 passed, 1 failed', status: 1 });
});

/** A run of its own: only the whole program shows what its last line is. */
function runVitest(files: Record<string, string>): { lastLine: string; status: number | null } {
  const root = mkdtempSync(join(tmpdir(), 'dal-reporter-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const globalSetup = 'setup.js' in files ? `globalSetup: ['setup.js'],` : '';
  const config = `
    import { ClosingLineReporter } from '${REPORTER}';
    export default {
      test: { globals: true, ${globalSetup} reporters: ['default', new ClosingLineReporter()] },
    };`;
  for (const [name, text] of Object.entries({ 'vitest.config.mjs': config, ...files })) {
    writeFileSync(join(root, name), text);
  }
  const { stdout, status } = spawnSync(process.execPath, [VITEST, 'run', '--root', root], {
    encoding: 'utf8',
  });
  return { lastLine: stdout.trimEnd().split('\n').at(-1) ?? '', status };
}
