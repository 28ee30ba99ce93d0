// The site as it is built: its links and anchors, and itself in a real browser.
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBrowser, type TestBrowser } from '../../../tests/setup/browser.ts';
import { serveSite, type ServedSite } from './serve-site.ts';

const root = join(import.meta.dirname, '../../..');
const dist = join(root, 'apps/docs/dist');

beforeAll(async () => {
  // Dead links between pages end the build. With nothing changed it comes from the cache.
  const turbo = join(root, 'node_modules/.bin/turbo');
  await promisify(execFile)(turbo, ['run', 'docs:build', '--output-logs=errors-only'], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', TURBO_TELEMETRY_DISABLED: '1' },
    maxBuffer: 16 * 2 ** 20,
  });
}, 300_000);

test('every link leads to a page, and to a place in it that is there', () => {
  const pages = new Map(
    globSync('**/*.html', { cwd: dist }).map((file) => [file.replaceAll('\\', '/'), read(file)]),
  );
  const ids = new Map([...pages].map(([file, html]) => [file, idsIn(html)]));
  const broken = new Map<string, string>();
  let followed = 0;
  for (const [file, html] of pages) {
    for (const href of new Set(hrefsIn(html))) {
      if (/^[a-z]+:/i.test(href)) continue;
      followed++;
      const [path = '', anchor = ''] = href.split('#');
      const target = path === '' ? file : pageAt(posix.resolve('/', posix.dirname(file), path));
      const isThere = anchor === '' || ids.get(target)?.has(anchor) === true;
      if (!existsSync(join(dist, target)) || !isThere) broken.set(`${target}#${anchor}`, file);
    }
  }
  expect(Object.fromEntries(broken)).toEqual({});
  expect(followed).toBeGreaterThan(1_000);
});

test('the API says what a member does once, where it is declared, and has no empty section', () => {
  const pages = globSync('api/**/*.html', { cwd: dist });
  expect(pages.length).toBeGreaterThan(15);
  for (const page of pages) {
    const html = read(page.replaceAll('\\', '/'));
    expect(html, page).not.toMatch(/>(?:Inherited from|Overrides)\b/);
    expect(html, page).not.toMatch(
      /<h4 [^>]*>(?:Constructors|Methods|Properties)\b(?:(?!<\/h4>).)*<\/h4>\s*<(?:h[2-4]|hr)\b/,
    );
  }
});

describe('in a browser', () => {
  let site: ServedSite;
  let browser: TestBrowser | string;

  beforeAll(async () => {
    site = await serveSite(dist);
    browser = await startBrowser();
  }, 120_000);

  afterAll(async () => {
    if (typeof browser === 'object') await browser[Symbol.asyncDispose]();
    await site?.[Symbol.asyncDispose]();
  });

  test('pages load without an error and ask nobody else', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    const context = await browser.visit();
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('pageerror', (error) => troubles.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (/error|warning/.test(message.type())) troubles.push(`${page.url()}: ${message.text()}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) troubles.push(`${response.status()} ${response.url()}`);
    });
    page.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (protocol !== 'data:' && origin !== site.url) troubles.push(`asks ${request.url()}`);
    });
    for (const path of [
      '/',
      '/concepts/retries.html',
      '/reference/errors.html',
      '/api/pool.html',
    ]) {
      await page.goto(site.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
    }
    await page.goto(site.url);
    await page.getByRole('link', { name: 'deadlines', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Deadlines and the stop ladder' }).waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  test(
    'whoever looks for a name that they know finds what it is called here',
    { timeout: 60_000 },
    async ({ skip }) => {
      if (typeof browser === 'string') return skip(browser);
      const context = await browser.visit();
      for (const [name, place] of [
        ['acquire_timeout', '/coming-from/python.html#the-pool'],
        ['ConnectionPool', '/coming-from/python.html#the-pool'],
        ['SqlGenerator', '/coming-from/python.html#sql-and-statements-by-themselves'],
        ['slow_query_threshold', '/coming-from/python.html#resilience-and-logs'],
        ['23505', '/reference/errors.html#kind-unique'],
      ] as const) {
        const page = await context.newPage();
        await page.goto(site.url);
        await page.getByRole('button', { name: 'Search' }).click();
        await page.locator('.VPLocalSearchBox input').fill(name);
        await expect.poll(() => firstResults(page), { timeout: 10_000 }).toContain(place);
        await page.close();
      }
      await context.close();
    },
  );
});

async function firstResults(page: Page): Promise<string> {
  const links = await page.locator('.VPLocalSearchBox .result').all();
  const places = links.slice(0, 5).map((link) => link.getAttribute('href'));
  return (await Promise.all(places)).join(' ');
}

function read(file: string): string {
  return readFileSync(join(dist, file), 'utf8');
}

function idsIn(html: string): ReadonlySet<string> {
  return new Set([...html.matchAll(/\sid="([^"]+)"/g)].map((match) => unescaped(match[1] ?? '')));
}

function hrefsIn(html: string): string[] {
  return [...html.matchAll(/<a\s[^>]*?href="([^"]*)"/g)].map((match) => unescaped(match[1] ?? ''));
}

function unescaped(text: string): string {
  return decodeURIComponent(text.replaceAll('&amp;', '&').replaceAll('&#39;', "'"));
}

/** A path of the site as a file of it. */
function pageAt(path: string): string {
  const file = path.slice(1);
  if (file === '') return 'index.html';
  return /\.\w+$/.test(file) ? file : `${file}.html`;
}
