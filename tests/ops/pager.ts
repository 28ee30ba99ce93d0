import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface Sent {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

/** An alert from its beginning to its end. */
export interface Page {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  over: boolean;
}

/** Takes what Prometheus sends to an Alertmanager. */
export class Pager implements AsyncDisposable {
  readonly #server = createServer((request, response) => {
    void json(request).then((alerts) => {
      for (const alert of alerts as Sent[]) this.#note(alert);
      response.end('{}');
    });
  });
  readonly #pages = new Map<string, Page>();

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** In the order in which they came. */
  get pages(): readonly Page[] {
    return [...this.#pages.values()];
  }

  /** The names of those that fire now. */
  get firing(): string[] {
    return [...new Set(this.pages.filter(({ over }) => !over).map(({ name }) => name))].toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #note({ labels, annotations, startsAt, endsAt }: Sent): void {
    const key = JSON.stringify([labels, startsAt]);
    const over = Date.parse(endsAt) <= Date.now();
    const known = this.#pages.get(key);
    if (known) known.over = over;
    else {
      const name = labels['alertname'] ?? '';
      this.#pages.set(key, { name, labels, annotations, startsAt, over });
    }
  }
}
