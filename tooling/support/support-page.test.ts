import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { SUPPORT_PAGE, supportPage } from './support-page.ts';

const root = resolve(import.meta.dirname, '../..');

test('the page is what the cards say; else run `pnpm support`', () => {
  expect(readFileSync(join(root, SUPPORT_PAGE), 'utf8')).toBe(supportPage(root));
});

test('every driver of ours is in it, and those by others', () => {
  const page = supportPage(root);
  for (const name of ['postgres', 'mysql', 'mariadb', 'sqlite', 'duckdb', 'pglite']) {
    expect(page).toMatch(new RegExp(`^\\|.*\\| ${name}\\b.*\\|$`, 'm'));
  }
});
