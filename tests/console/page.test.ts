// The page of the console in a real browser, about real databases.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '@dal/core';
import { type ConsoleServer, startConsole } from '@dal/console';
import { createDatabase } from '@dal/factory';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { startBrowser, type TestBrowser } from '../setup/browser.ts';
import { stuckOn } from './stuck-statement.ts';

const engines = inject('engines');
// The others' statements are stopped in handler.test.ts.
const servers = engines.filter(({ name }) => name !== 'sqlite').slice(0, 1);
/** A page is told once a second, and the machine may be busy. */
const PATIENT = { timeout: 10_000 };
const MARKUP = '<img src=x onerror=window.hacked=1>';
const SCRIPT = '</script><script>window.hacked=2</script>';

/** See the file. */
interface Contrasts {
  readonly ground: number;
  readonly looked: number;
  readonly faint: string[];
}

const CONTRASTS = readFileSync(join(import.meta.dirname, 'contrasts.js'), 'utf8');

let browser: TestBrowser;
let missing: string | undefined;
const undo: (() => Promise<unknown>)[] = [];
/** What the browser complained of. */
const complaints: string[] = [];

beforeAll(async () => {
  const started = await startBrowser();
  if (typeof started === 'string') missing = started;
  else browser = started;
}, 300_000);
afterAll(() => browser?.[Symbol.asyncDispose]());

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
  expect(complaints.splice(0)).toEqual([]);
});

async function openDatabase(url: string, name: string): Promise<Database> {
  const db = await createDatabase(url, { name, shared: false, statementTimeoutMs: 90_000 });
  undo.push(() => db.close({ force: true }));
  return db;
}

async function serve(): Promise<ConsoleServer> {
  const server = await startConsole({ port: 0, actions: true });
  undo.push(() => server.close());
  return server;
}

async function visit(url: string, options?: BrowserContextOptions): Promise<Page> {
  const visitor = await browser.visit({ viewport: { width: 1_280, height: 800 }, ...options });
  undo.push(() => visitor.close());
  const page = await visitor.newPage();
  page.on('console', (message) => {
    if (message.type() !== 'log') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) {
      complaints.push(`asked for ${request.url()}`);
    }
  });
  await page.goto(url);
  return page;
}

/** Statements one after the other until the test is over. */
function keepBusy(db: Database, text: string): void {
  const stop = new AbortController();
  const work = (async () => {
    while (!stop.signal.aborted) {
      await db.query(text).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  undo.push(() => {
    stop.abort();
    return work;
  });
}

describe.skipIf(engines.length === 0)('any engine', () => {
  const [{ url } = { url: '' }] = engines;

  test('shows pools within a second, and numbers that live', async (context) => {
    if (missing) return context.skip(missing);
    const db = await openDatabase(url, 'living');
    await db.query('SELECT 1');
    const { url: address } = await serve();
    const page = await visit(address);
    const card = page.locator('.pool', { hasText: 'living' });
    await card.waitFor();
    // By the page's own clock; the best of some, for the machine has other things to do.
    const shownAt: number[] = [];
    for (let round = 0; round < 4; round++) {
      await page.reload();
      await card.waitFor();
      shownAt.push(await page.evaluate(() => performance.now()));
    }
    expect(Math.min(...shownAt)).toBeLessThan(1_000);

    const rate = card.locator('.spark b').last();
    await expect.poll(() => rate.textContent(), PATIENT).toBe('0');
    keepBusy(db, 'SELECT 1');
    await expect.poll(async () => Number(await rate.textContent()), PATIENT).toBeGreaterThan(2);
    const line = card.locator('path.line').last();
    const drawn = await line.getAttribute('d');
    await expect.poll(() => line.getAttribute('d'), PATIENT).not.toBe(drawn);

    await using lent = await db.acquire();
    await lent.query('SELECT 1');
    await expect.poll(() => card.locator('.in-use b').textContent(), PATIENT).not.toBe('0');
    await expect.poll(() => page.locator('#digests li').count(), PATIENT).toBeGreaterThan(0);

    await page.getByRole('button', { name: 'Pause' }).click();
    const frozen = await line.getAttribute('d');
    await page.waitForTimeout(1_500);
    expect(await line.getAttribute('d')).toBe(frozen);
  });

  test('what is not of the console stays text, and values stay away', async (context) => {
    if (missing) return context.skip(missing);
    const db = await openDatabase(url, `name ${MARKUP}`);
    const { url: address } = await serve();
    const page = await visit(address);
    const seen: string[] = [];
    page.on('response', async (response) => seen.push(await response.text().catch(() => '')));
    const quote = db.dialect.quote[0];
    const statement = `SELECT ? AS ${quote}${MARKUP}${quote}, 's3cret literal' AS note`;
    await db.query(statement, ['s3cret value'], { tags: { route: `${SCRIPT}${MARKUP}` } });
    const held = await db.acquire();
    const { text, stop } = stuckOn(url);
    const stuck = held
      .query(`${text} -- ${MARKUP}`, [], {
        signal: stop.signal,
        tags: { job: `${SCRIPT}${MARKUP}` },
      })
      .catch(() => undefined);

    await page.locator('#digests li', { hasText: MARKUP }).first().waitFor();
    await page.locator('#pools .pool', { hasText: MARKUP }).first().waitFor();
    await page
      .locator('#running-list .tag', { hasText: `job: ${SCRIPT}${MARKUP}` })
      .first()
      .waitFor();
    stop.abort();
    await stuck;
    await held.release();
    expect(await page.locator('main img, main script, main b[onclick]').count()).toBe(0);
    expect(await page.evaluate(() => (globalThis as { hacked?: number }).hacked)).toBeUndefined();
    expect(await page.content()).not.toContain('s3cret');
    expect(seen.join('\n')).not.toContain('s3cret');
  });

  test.for(['light', 'dark'] as const)('%s: everything can be read', async (scheme, context) => {
    if (missing) return context.skip(missing);
    const db = await openDatabase(url, 'scheme');
    const { url: address } = await serve();
    const page = await visit(address, { colorScheme: scheme });
    await using held = await db.acquire();
    const { text, stop } = stuckOn(url);
    const stuck = held.query(text, [], { signal: stop.signal, tags: { job: 'a' } }).catch(codeOf);
    await page.getByRole('button', { name: /^Stop:/ }).waitFor();
    stop.abort();
    await stuck;
    await page.locator('#digests li').first().waitFor();
    const { ground, looked, faint } = await page.evaluate<Contrasts>(CONTRASTS);
    expect(looked).toBeGreaterThan(20);
    expect(faint).toEqual([]);
    expect(ground < 60).toBe(scheme === 'dark');
    expect(ground > 200).toBe(scheme === 'light');
  });

  test('fits a phone of 360 pixels, with targets for a thumb', async (context) => {
    if (missing) return context.skip(missing);
    const db = await openDatabase(url, 'a-database-with-a-name-that-is-long-and-has-no-gap-in-it');
    const { url: address } = await serve();
    const page = await visit(address, {
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    });
    const { text, stop } = stuckOn(url);
    const stuck = db.query(text, [], { signal: stop.signal }).catch(() => undefined);
    const button = page.getByRole('button', { name: /^Stop:/ }).first();
    await button.waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    expect((await button.boundingBox())?.height).toBeGreaterThan(40);
    stop.abort();
    await stuck;
  });

  test('says when the program is gone, and takes up the next one', async (context) => {
    if (missing) return context.skip(missing);
    const first = await serve();
    const page = await visit(first.url);
    await expect.poll(() => page.locator('#contact').textContent(), PATIENT).toBe('Live');
    await first.close();
    await expect.poll(() => page.locator('#contact').textContent(), PATIENT).toBe('No contact');
    const next = await startConsole({ port: Number(new URL(first.url).port) });
    undo.push(() => next.close());
    await expect.poll(() => page.locator('#contact').textContent(), PATIENT).toBe('Live');
    // The browser itself says that it could not connect meanwhile.
    complaints.splice(0);
  });
});

test.for(servers)(
  '$name: by keyboard alone, a stuck statement is stopped on the server',
  async ({ name, url }, context) => {
    if (missing) return context.skip(missing);
    const db = await openDatabase(url, `stuck ${name}`);
    const witness = await openDatabase(url, `witness ${name}`);
    const { url: address } = await serve();
    const page = await visit(address);
    const { text, isRunning } = stuckOn(url);
    const ended = db.query(text).then(
      () => 'answered',
      ({ kind, code }: { kind: string; code: string }) => [kind, code],
    );
    await expect.poll(() => isRunning(witness), PATIENT).toBe(true);
    await page.getByRole('button', { name: /^Stop:/ }).waitFor();

    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to running statements');
    await page.keyboard.press('Enter');
    await tabTo(page, /^Stop:/);
    await page.keyboard.press('Enter');
    // The harmless answer has the focus.
    expect(await focused(page)).toBe('Let it run');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(300);
    expect(await isRunning(witness)).toBe(true);
    expect(await focused(page)).toMatch(/^Stop:/);

    await page.keyboard.press('Enter');
    await tabTo(page, /^Stop it$/);
    await page.keyboard.press('Enter');
    expect(await ended).toEqual(['cancelled', 'DAL_STOPPED']);
    await expect.poll(() => isRunning(witness), PATIENT).toBe(false);
    await page.locator('#events li', { hasText: 'A statement was stopped.' }).waitFor();
    // The button is gone; the way on leads from where it was.
    await expect.poll(() => page.evaluate('document.activeElement.id'), PATIENT).toBe('running');
    await page.locator('#notice', { hasText: 'is being stopped' }).waitFor();
  },
);

test.skipIf(servers.length === 0)(
  'stops all statements that are alike, and no others',
  async (context) => {
    if (missing) return context.skip(missing);
    const [{ url }] = servers as [(typeof servers)[number]];
    const db = await openDatabase(url, 'alike');
    const { url: address } = await serve();
    const page = await visit(address);
    const { text, stop } = stuckOn(url);
    const alike = [1, 2, 3].map((n) => db.query(text.replace(/\d+/, `${60 + n}`)).catch(codeOf));
    const other = db.query(`${text} AS other`, [], { signal: stop.signal }).catch(codeOf);
    await page.getByRole('button', { name: 'Stop all 3 like this' }).click();
    await page.getByRole('button', { name: 'Stop them' }).click();
    expect(await Promise.all(alike)).toEqual(['DAL_STOPPED', 'DAL_STOPPED', 'DAL_STOPPED']);
    stop.abort();
    expect(await other).toBe('DAL_ABORTED');
  },
);

test('events come with their stacks', async (context) => {
  if (missing) return context.skip(missing);
  const [{ url } = { url: '' }] = engines;
  const pool = { leakThresholdMs: 300, acquireStacks: 'always', max: 1 } as const;
  const db = await createDatabase(url, { name: 'leaking', shared: false, pool });
  undo.push(() => db.close({ force: true }));
  const { url: address } = await serve();
  const page = await visit(address);
  const held = await db.acquire();
  await held.query("SELECT 's3cret' AS forgotten");
  const row = page.locator('#events li', { hasText: 'without a statement' });
  await row.waitFor({ timeout: 10_000 });
  await row.locator('summary').click();
  expect(await row.locator('pre').textContent()).toContain('page.test.ts');
  expect(await row.locator('pre').textContent()).toContain('AS forgotten');
  expect(await page.content()).not.toContain('s3cret');
  await held.release();
});

function codeOf({ code }: { code: string }): string {
  return code;
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>(
    `document.activeElement?.ariaLabel ?? document.activeElement?.textContent.trim() ?? ''`,
  );
}

async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let step = 0; step < 12; step++) {
    await page.keyboard.press('Tab');
    if (name.test(await focused(page))) return;
  }
  throw new Error(`Tab never came to ${name}.`);
}
