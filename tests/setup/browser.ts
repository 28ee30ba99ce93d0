import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '@dal/testing/servers';
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A Chromium without a window, with nothing of anybody's in it. */
export interface TestBrowser extends AsyncDisposable {
  /** A visitor of its own, such as one with a phone. */
  visit(options?: BrowserContextOptions): Promise<BrowserContext>;
}

/** @returns why there is no browser; in CI that is an error, so that nobody takes silence for success */
export async function startBrowser(): Promise<TestBrowser | string> {
  const found = await findChromium().catch((error: Error) => `debian: ${error.message}`);
  if (typeof found === 'string') {
    if (!process.env['CI']) return found;
    throw new Error(`Tests in a browser need Chromium: ${found}. Set CHROME_PATH to one.`);
  }
  const home = await mkdtemp(join(tmpdir(), 'dal-browser-'));
  const browser = await chromium.launch({
    executablePath: found.program,
    args: FLAGS,
    // Its settings, caches and crash reports go where they are removed again.
    env: { ...process.env, ...found.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
  });
  return {
    visit: (options) => browser.newContext(options),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
