import type { IncomingMessage, ServerResponse } from 'node:http';
import { say } from '../endpoint.ts';
import type { Stage } from '../shows/show.ts';
import { crowd } from './crowd.ts';
import type { Incident } from './incident.ts';
import { kills } from './kills.ts';
import { leak } from './leak.ts';
import { memory } from './memory.ts';
import { outage } from './outage.ts';
import { slow } from './slow.ts';
import { timeouts } from './timeouts.ts';

const known: Readonly<Record<string, Incident>> = {
  leak,
  crowd,
  'timeouts-mild': timeouts('timeouts-mild', 3, 600),
  'timeouts-high': timeouts('timeouts-high', 9, 291),
  'timeouts-critical': timeouts('timeouts-critical', 24, 276),
  slow,
  kills,
  memory,
  outage,
};

interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Lets things go wrong on demand: `POST /incidents/leak` begins one, `DELETE` ends it. */
export class Incidents implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #running = new Map<string, Running>();
  readonly #failures: string[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** What went wrong that should not have. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  readonly answer = async (
    { url, method }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    const name = (url ?? '').split(/[/?]/)[2] ?? '';
    if (name === '' && method === 'GET') return say(response, 200, this.#list());
    if (!Object.hasOwn(known, name))
      return say(response, 404, `There are: ${Object.keys(known).join(', ')}.`);
    if (method === 'POST') return this.#begin(name, response);
    if (method === 'DELETE') return this.#end(name, response);
    return say(response, 405, 'POST begins an incident, DELETE ends it.');
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stop } of this.#running.values()) stop.abort();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #list(): string {
    return Object.entries(known)
      .map(([name, { words }]) => `${this.#running.has(name) ? '*' : ' '} ${name}: ${words}`)
      .join('\n');
  }

  #begin(name: string, response: ServerResponse): void {
    if (this.#running.has(name)) return say(response, 409, `${name} goes on already.`);
    const stop = new AbortController();
    this.#running.set(name, { stop, ended: this.#run(name, stop.signal) });
    return say(response, 202, `${name}: ${known[name]?.words}.`);
  }

  async #end(name: string, response: ServerResponse): Promise<void> {
    const running = this.#running.get(name);
    running?.stop.abort();
    await running?.ended;
    return say(response, 200, `${name} is over.`);
  }

  // Two incidents of the same size would share a pool.
  readonly #openOwn: Stage['open'] = (options) => this.#stage.open({ ...options, shared: false });

  async #run(name: string, signal: AbortSignal): Promise<void> {
    try {
      await known[name]?.run({ ...this.#stage, open: this.#openOwn, signal });
    } catch (error) {
      if (!signal.aborted)
        this.#failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#running.delete(name);
    }
  }
}
