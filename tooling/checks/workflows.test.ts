import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkWorkflow } from './workflows.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SOUND = `
on: { push: { branches: [main] } }
permissions: {}
jobs:
  publish:
    timeout-minutes: 5
    permissions: { contents: read, id-token: write }
    steps:
      - uses: actions/checkout@v4
        with: { persist-credentials: false }
      - run: bash .ci/run
      - run: npm run build
`;

test.each(globSync('.github/workflows/*', { cwd: ROOT }))(
  '%s can do no more than it has to',
  (file) => {
    expect(checkWorkflow(ROOT, file, readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  },
);

test('publishing is a job of its own, after one that packs and has no rights', () => {
  const text = readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8');
  const { jobs } = parse(text) as { jobs: Record<string, { needs?: string; permissions: object }> };
  expect(Object.keys(jobs)).toEqual(['mode', 'version', 'pack', 'publish']);
  expect(jobs['pack']?.permissions).toEqual({ contents: 'read' });
  expect(jobs['publish']?.needs).toBe('pack');
  expect(jobs['publish']?.permissions).toEqual({ contents: 'write', 'id-token': 'write' });
  // With a token there would be a second way in.
  expect(text).not.toMatch(/NPM_TOKEN|NODE_AUTH_TOKEN/);
});

test('a sound workflow passes', () => {
  expect(checkWorkflow(ROOT, 'x.yml', SOUND)).toEqual([]);
});

test.each([
  ['permissions: {}', '', 'x.yml: does not say its permissions'],
  [
    'permissions: {}',
    'permissions: write-all',
    'x.yml: gives "everything: write-all" to every job',
  ],
  [
    'permissions: {}',
    'permissions: { contents: write }',
    'x.yml: gives "contents: write" to every job',
  ],
  ['publish:', 'build:', 'x.yml: job "build" may publish (id-token: write)'],
  ['timeout-minutes: 5', 'name: late', 'x.yml: job "publish" has no timeout-minutes'],
  [
    'checkout@v4',
    'checkout@main',
    'x.yml: job "publish" uses actions/checkout@main without a version',
  ],
  [
    'persist-credentials: false',
    'fetch-depth: 0',
    'x.yml: job "publish" leaves its credentials in the checkout (persist-credentials)',
  ],
  ['.ci/run', '.ci/start', 'x.yml: job "publish" names .ci/start, which does not exist'],
  [
    'npm run build',
    'npm run bulid',
    'x.yml: job "publish" runs the script "bulid", which package.json does not have',
  ],
  [
    'npm run build',
    'echo ${{ github.event.issue.title }}',
    'x.yml: job "publish" puts words of strangers into a command (github.event)',
  ],
  [
    'npm run build',
    'X=${{ secrets.NPM }} npm run build',
    'x.yml: names a secret; nothing here needs one',
  ],
  [
    'push: { branches: [main] }',
    'pull_request_target: {}',
    "x.yml: runs strangers' code with rights of ours (pull_request_target)",
  ],
])('instead of "%s", "%s" is found', (sound, broken, sentence) => {
  expect(checkWorkflow(ROOT, 'x.yml', SOUND.replace(sound, broken))).toEqual([sentence]);
});
