import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from './verdict.ts';

/** Nothing of what a pool opens may be left in the process, and no fault may end it. */
export class ProcessWatch implements Disposable {
  readonly #before = countAll();
  readonly #uncaught: string[] = [];
  readonly #onUncaught = (error: unknown): void => {
    this.#uncaught.push(`uncaught: ${error instanceof Error ? error.message : String(error)}`);
  };
  readonly #onWarning = ({ name, message }: Error): void => {
    if (name === 'MaxListenersExceededWarning') this.#uncaught.push(message);
  };

  constructor() {
    process.on('uncaughtException', this.#onUncaught);
    process.on('unhandledRejection', this.#onUncaught);
    process.on('warning', this.#onWarning);
  }

  [Symbol.dispose](): void {
    process.off('uncaughtException', this.#onUncaught);
    process.off('unhandledRejection', this.#onUncaught);
    process.off('warning', this.#onWarning);
  }

  /** To be asked when everything is closed that was opened after the start. */
  async verdict(): Promise<Verdict> {
    let after = countAll();
    // The far end of a line closes a moment later.
    for (let look = 0; look < 40 && leftOver(this.#before, after).length > 0; look++) {
      await sleep(25);
      after = countAll();
    }
    return {
      promise: 'P8 no fault ends the process or leaves a handle',
      seen: `${this.#uncaught.length} uncaught; sockets ${this.#before.sockets} before, ${after.sockets} after; listeners ${this.#before.listeners}, ${after.listeners}`,
      broken: [...this.#uncaught, ...leftOver(this.#before, after)],
    };
  }
}

interface Counts {
  readonly sockets: number;
  readonly listeners: number;
}

function leftOver(before: Counts, after: Counts): string[] {
  return (['sockets', 'listeners'] as const).flatMap((what) =>
    after[what] > before[what] ? [`${what}: ${before[what]} before, ${after[what]} after`] : [],
  );
}

function countAll(): Counts {
  const lines = ['TCPSocketWrap', 'TLSWrap', 'TCPConnectWrap'];
  const ours = ['uncaughtException', 'unhandledRejection', 'warning'];
  return {
    sockets: process.getActiveResourcesInfo().filter((name) => lines.includes(name)).length,
    listeners: process
      .eventNames()
      .filter((name) => !ours.includes(String(name)))
      .reduce((sum, name) => sum + process.listenerCount(name), 0),
  };
}
