// The pages say nothing that is not so: their snippets run, their links lead somewhere, and every
// option has its line.
//
// A fence that begins with ```ts run is a whole program. It runs with DATABASE_URL unset; when it
// imports a driver of a server, DATABASE_URL is the address of that server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { readPoolOptions } from '@dal/pool';
import { afterAll, describe, expect, inject, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
// Inside the repository, so that imports of our packages lead to this working tree.
const snippetsFolder = join(import.meta.dirname, '.snippets');

const guides = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
const packagePages = globSync(
  ['packages/*/README.md', 'packages/*/*/README.md', 'apps/*/README.md'],
  { cwd: root, exclude: (path) => path.includes('node_modules') },
).toSorted();
const pages = [...guides, ...packagePages];

interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

const snippets = pages.flatMap(snippetsOf);

describe('snippets', () => {
  afterAll(() => {
    try {
      rmdirSync(snippetsFolder);
    } catch {
      // Another run is using it, or there was nothing to run.
    }
  });

  test.each(['README.md', ...packagePages.filter((page) => page.includes('/foundation/'))])(
    '%s has a program that runs',
    (page) => {
      expect(snippets.map((snippet) => snippet.page)).toContain(page);
    },
  );

  for (const snippet of snippets) {
    for (const { name, url } of targetsOf(snippet)) {
      test(`${snippet.page}:${snippet.line} runs on ${name}`, { timeout: 20_000 }, async () => {
        expect(await run(snippet, url)).toEqual({ exit: 0, stderr: '' });
      });
    }
  }
});

describe.each(pages)('%s', (page) => {
  const words = readFileSync(join(root, page), 'utf8');

  test('leads only to files that exist', () => {
    const missing = linksIn(words).filter((link) => !existsSync(join(root, dirname(page), link)));
    expect(missing).toEqual([]);
  });
});

test.each(guides)('%s names only files that exist', (page) => {
  const paths = pathsIn(readFileSync(join(root, page), 'utf8'));
  expect(paths.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([]);
});

test('the page of the pool has a line for every option', () => {
  const words = readFileSync(join(root, 'packages/foundation/pool/README.md'), 'utf8');
  const options = Object.keys(readPoolOptions({}));
  expect(options.filter((option) => !words.includes(`\n| \`${option}\``))).toEqual([]);
});

/** Every fence is read, so that a fence inside another is text. */
function fencesIn(words: string): { info: string; line: number; content: string }[] {
  return [...words.matchAll(/^(`{3,})([^\n`]*)\n(.*?)^\1 *$/gms)].map((match) => ({
    info: match[2]?.trim() ?? '',
    line: words.slice(0, match.index).split('\n').length,
    content: match[3] ?? '',
  }));
}

function snippetsOf(page: string): Snippet[] {
  return fencesIn(readFileSync(join(root, page), 'utf8'))
    .filter(({ info }) => info === 'ts run')
    .map(({ line, content }) => ({ page, line, code: content }));
}

/** Where a snippet runs. An engine that this run of the tests leaves out is left out here too. */
function targetsOf({ code }: Snippet): { name: string; url: string | undefined }[] {
  const engines = inject('engines');
  if (code.includes("'@dal/postgres'")) return engines.filter(({ name }) => name === 'postgres');
  if (code.includes("'@dal/mysql'")) {
    return engines.filter(({ name }) => name === 'mysql' || name === 'mariadb');
  }
  return [{ name: 'SQLite', url: undefined }];
}

async function run(
  { code }: Snippet,
  url: string | undefined,
): Promise<{ exit: unknown; stderr: string }> {
  mkdirSync(snippetsFolder, { recursive: true });
  const folder = mkdtempSync(join(snippetsFolder, 'run-'));
  try {
    writeFileSync(join(folder, 'snippet.ts'), code);
    const child = spawn(process.execPath, ['--conditions=@dal/source', 'snippet.ts'], {
      cwd: folder,
      env: { ...plainEnvironment(), ...(url === undefined ? {} : { DATABASE_URL: url }) },
      stdio: ['ignore', 'ignore', 'pipe'],
      // A program that does not end by itself has left something open.
      timeout: 15_000,
      killSignal: 'SIGKILL',
    });
    const stderr = text(child.stderr);
    const [exit, signal] = (await once(child, 'close')) as [number | null, string | null];
    return { exit: exit ?? signal, stderr: await stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a stranger's shell would have: nothing of the test runner's, no database. */
function plainEnvironment(): Record<string, string | undefined> {
  const ours = /^(?:DATABASE_|DAL_|VITEST|NODE_|npm_|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

function linksIn(words: string): string[] {
  return [...withoutFences(words).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? '').replace(/#.*$/, ''))
    .filter((link) => link !== '' && !/^[a-z]+:/i.test(link));
}

/** What stands as code or in a tree and looks like a path of this repository. A star may stand in it. */
function pathsIn(words: string): string[] {
  const trees = fencesIn(words).filter(({ info }) => info === 'text');
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

function withoutFences(words: string): string {
  return words.replaceAll(/^(`{3,})[^\n`]*\n.*?^\1 *$/gms, '');
}
