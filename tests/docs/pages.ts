import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root: string = join(import.meta.dirname, '../..');

/** Pages about the repository as a whole. */
export const guides: readonly string[] = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'SUPPORT.md',
];

export const packagePages: readonly string[] = globSync(
  ['packages/*/README.md', 'packages/*/*/README.md', 'apps/*/README.md'],
  { cwd: root, exclude: (path) => path.includes('node_modules') },
).toSorted();

/** Pages of the site that are written by hand; the others are made of these and of the code. */
export const sitePages: readonly string[] = globSync('apps/docs/src/**/*.md', {
  cwd: root,
  exclude: (path) => madeByTheBuild().includes(path.replaceAll('\\', '/')),
}).toSorted();

/** A fence of a page. */
export interface Fence {
  readonly page: string;
  readonly line: number;
  /** What stands behind the backticks: `ts run`. */
  readonly info: string;
  readonly content: string;
}

/** Every fence is read, so that a fence inside another is text. */
export function fencesIn(page: string, words: string = wordsOf(page)): Fence[] {
  return [...words.matchAll(/^(`{3,})([^\n`]*)\n(.*?)^\1 *$/gms)].map((match) => ({
    page,
    line: words.slice(0, match.index).split('\n').length,
    info: match[2]?.trim() ?? '',
    content: match[3] ?? '',
  }));
}

export function wordsOf(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

export function withoutFences(words: string): string {
  return words.replaceAll(/^(`{3,})[^\n`]*\n.*?^\1 *$/gms, '');
}

/** What `.gitignore` keeps out of the site's pages. */
function madeByTheBuild(): string[] {
  return wordsOf('.gitignore')
    .split('\n')
    .filter((line) => line.startsWith('apps/docs/src/'))
    .map((line) => line.replace(/\/$/, ''));
}
