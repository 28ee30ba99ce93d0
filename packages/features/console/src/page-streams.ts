import type { ServerResponse } from 'node:http';
import type { ConsoleWatch } from './console-watch.ts';

const MOST_PAGES = 20;
const EVERY_MS = 1_000;
/** Who takes nothing for so many seconds is gone. */
const MOST_SKIPPED = 30;
/** A page asks anew after this time, and is judged anew. */
const LONGEST_MS = 10 * 60_000;

/** The pages that are open, each told once a second what there is. */
export class PageStreams {
  readonly #watch: ConsoleWatch;
  readonly #pages = new Set<Page>();
  readonly #timer: NodeJS.Timeout;

  constructor(watch: ConsoleWatch) {
    this.#watch = watch;
    // The charts of a page that is opened later begin before it.
    this.#timer = setInterval(() => this.#tick(), EVERY_MS).unref();
  }

  /** @returns false when too many are open */
  open(response: ServerResponse, mayAct: boolean): boolean {
    if (this.#pages.size >= MOST_PAGES) return false;
    const page: Page = { response, mayAct, turn: 0, skipped: 0, since: performance.now() };
    this.#pages.add(page);
    response.on('close', () => this.#pages.delete(page));
    response.on('error', () => this.#pages.delete(page));
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    response.write('retry: 1000\n\n');
    this.#send(page, JSON.stringify(this.#watch.snapshot()));
    return true;
  }

  end(): void {
    clearInterval(this.#timer);
    for (const { response } of this.#pages) response.end();
    this.#pages.clear();
  }

  #tick(): void {
    this.#watch.sample();
    if (this.#pages.size === 0) return;
    const snapshot = JSON.stringify(this.#watch.snapshot());
    for (const page of this.#pages) {
      if (page.response.writableNeedDrain) {
        if (++page.skipped > MOST_SKIPPED) page.response.destroy();
      } else if (performance.now() - page.since > LONGEST_MS) {
        page.response.end();
      } else {
        this.#send(page, snapshot);
      }
    }
  }

  #send(page: Page, snapshot: string): void {
    const { events } = this.#watch;
    const news = JSON.stringify(events.since(page.turn));
    page.turn = events.turn;
    page.skipped = 0;
    page.response.write(
      `data: {"mayAct":${page.mayAct},"snapshot":${snapshot},"events":${news}}\n\n`,
    );
  }
}

interface Page {
  readonly response: ServerResponse;
  readonly mayAct: boolean;
  readonly since: number;
  /** Of the events that it was told of. */
  turn: number;
  skipped: number;
}
