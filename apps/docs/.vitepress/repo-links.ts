import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { join } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { copiedPages } from '../tooling/package-pages.ts';
import { publicPackages, ROOT } from '../tooling/workspace.ts';

/** Which page of the site a file of the repository is. */
const pageOf = new Map(
  copiedPages(ROOT, publicPackages()).map(({ page, from }) => [from, `/${page}`]),
);
pageOf.set('README.md', '/');

const repository = repositoryUrl();

/**
 * Links to files of the repository: `repo:tests/x.test.ts` in pages of the site, and plain relative
 * ones in pages that are copies. A file that is a page of the site leads there, any other one to the
 * repository, or, as long as that has no address, nowhere: its path is shown.
 *
 * @throws Error when there is no such file
 */
export function repoLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('repo-links', ({ tokens, env }) => {
    const from = (env as { frontmatter?: { from?: string } }).frontmatter?.from;
    for (const inline of tokens) {
      for (const token of inline.children ?? []) {
        const href = token.type === 'link_open' ? token.attrGet('href') : null;
        const file = href === null ? undefined : fileOf(href, from);
        if (href === null || file === undefined) continue;
        if (!existsSync(join(ROOT, file))) throw new Error(`${from ?? 'A page'}: no file ${file}`);
        const page = pageOf.get(file);
        const anchor = /#.*$/.exec(href)?.[0] ?? '';
        if (page !== undefined) token.attrSet('href', `${page}${anchor}`);
        else if (repository !== undefined) token.attrSet('href', `${repository}/blob/main/${file}`);
        else
          token.attrs = [
            ['class', 'repo-file'],
            ['title', file],
          ];
      }
    }
  });
}

/** Relative to the root; undefined for what leads elsewhere. */
function fileOf(href: string, from: string | undefined): string | undefined {
  const path = href.replace(/#.*$/, '');
  if (path.startsWith('repo:')) return path.slice('repo:'.length);
  if (from === undefined || path === '' || /^[a-z]+:/i.test(path)) return undefined;
  return posix.join(posix.dirname(from), decodeURI(path)).replace(/\/$/, '');
}

function repositoryUrl(): string | undefined {
  const { repository: given } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly repository?: string | { readonly url?: string };
  };
  const url = typeof given === 'string' ? given : given?.url;
  return url?.replace(/^git\+/, '').replace(/\.git$/, '');
}
