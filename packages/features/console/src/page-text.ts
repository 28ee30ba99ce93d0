import { readFileSync } from 'node:fs';

/** The page as one text. Style and script stand in it, and nothing is fetched from elsewhere. */
export class PageText {
  readonly #parts: readonly string[];

  /** Reads the files of the page, once. They lie in `src` in the published package too. */
  constructor() {
    // Split first, so that nothing that one file says is taken for a mark of another.
    const parts = read('page.html').split(/(\/\* page\.css \*\/|\/\* page\.js \*\/|\{\{\w+\}\})/);
    const files: Readonly<Record<string, string>> = {
      '/* page.css */': read('page.css'),
      '/* page.js */': read('page.js'),
    };
    this.#parts = parts.map((part) => files[part] ?? part);
  }

  /** @param nonce lets style and script of this answer run, and no others */
  write(nonce: string, token: string): string {
    const values: Readonly<Record<string, string>> = { '{{nonce}}': nonce, '{{token}}': token };
    return this.#parts.map((part) => values[part] ?? part).join('');
  }
}

function read(name: string): string {
  return readFileSync(new URL(`../src/page/${name}`, import.meta.url), 'utf8');
}
