import { defineConfig } from 'vitepress';
import { publicPackages } from '../tooling/workspace.ts';
import { repoLinks } from './repo-links.ts';
import { nav, sidebar } from './sidebar.ts';

export default defineConfig({
  title: 'DAL',
  description: 'A SQL connection layer for Node: PostgreSQL, MySQL, MariaDB and SQLite.',
  lang: 'en',
  srcDir: 'src',
  outDir: 'dist',
  cacheDir: '.vitepress/cache',
  cleanUrls: false,
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    config: repoLinks,
  },
  themeConfig: {
    nav,
    sidebar: sidebar(publicPackages()),
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        _render: (source, env, md) => md.render(withoutPrograms(source), env),
        miniSearch: {
          // Names are found whole and by their parts: acquire_timeout, timeout.
          options: { tokenize: namesAndParts },
          // All words of a question count, with little room for slips: names are what is looked for.
          searchOptions: { combineWith: 'AND', fuzzy: 0.1 },
        },
      },
    },
    docFooter: { prev: false, next: false },
  },
});

/** What the search reads of a page: to colour its programs once more would double the build. */
function withoutPrograms(source: string): string {
  return source.replaceAll(/^(`{3,})[^\n`]*\n.*?^\1 *$/gms, '');
}

/** Runs in the reader's browser too, so it stands on nothing outside of itself. */
function namesAndParts(text: string): string[] {
  const words = text.split(/[^\p{L}\p{N}_.@/-]+/u).filter(Boolean);
  return words.flatMap((word) => {
    const parts = word.split(/[_.@/-]+/).filter(Boolean);
    return parts.length > 1 ? [word, ...parts] : parts;
  });
}
