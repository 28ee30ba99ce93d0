// The links of the pages lead somewhere, and every option has its line. The site's own links are
// checked when it is built: apps/docs/test.
import { existsSync, globSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readPoolOptions } from '@dal/pool';
import { describe, expect, test } from 'vitest';
import { fencesIn, guides, packagePages, root, withoutFences, wordsOf } from './pages.ts';

describe.each([...guides, ...packagePages])('%s', (page) => {
  test('leads only to files that exist', () => {
    const missing = linksIn(wordsOf(page)).filter(
      (link) => !existsSync(join(root, dirname(page), link)),
    );
    expect(missing).toEqual([]);
  });
});

test.each(guides)('%s names only files that exist', (page) => {
  const paths = pathsIn(page);
  expect(paths.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([]);
});

test('the page of the pool has a line for every option', () => {
  const words = wordsOf('packages/foundation/pool/README.md');
  const options = Object.keys(readPoolOptions({}));
  expect(options.filter((option) => !words.includes(`\n| \`${option}\``))).toEqual([]);
});

function linksIn(words: string): string[] {
  return [...withoutFences(words).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? '').replace(/#.*$/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/i.test(link));
}

/** What stands as code or in a tree and looks like a path of this repository. A star may stand in it. */
function pathsIn(page: string): string[] {
  const words = wordsOf(page);
  const trees = fencesIn(page, words).filter(({ info }) => info === 'text');
  const spans = [...withoutFences(words).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
  const [folders, files] = [topLevel().join('|'), 'json|ya?ml|md|mjs'];
  const isPath = new RegExp(`^(?:(?:${folders})(?:/\\S*)?|[\\w.-]+\\.(?:${files}))$`);
  return [...spans, ...trees.flatMap(({ content }) => content.split('\n'))]
    .flatMap((span) => span.split(/\s+/))
    .map((word) => word.replace(/[,;:]$/, ''))
    .filter((word) => isPath.test(word))
    .map((path) => relative(root, join(root, path)));
}

function topLevel(): string[] {
  return ['packages', 'apps', 'tests', 'tooling', '\\.ci', '\\.changeset', '\\.github'];
}
