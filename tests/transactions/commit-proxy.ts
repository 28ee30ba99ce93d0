import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What becomes of the next COMMIT; everything else passes. */
export type CommitFault =
  /** So many bytes of it arrive, then the line is cut on both sides. */
  | { readonly up: number }
  /** It arrives, and so many bytes of its answer, then the line is cut on both sides. */
  | { readonly down: number }
  /** It arrives, and its answer never does; the line stays. */
  | 'hold'
  /** It never arrives; the client's side is cut, and the server goes on waiting for a word. */
  | 'abandon';

/** A line that fails in the very moment of COMMIT. */
export interface CommitProxy extends AsyncDisposable {
  through(url: string): string;
  /** Counts for one COMMIT. */
  arm(fault: CommitFault): void;
  resetAll(): void;
}

export async function startCommitProxy(port: number): Promise<CommitProxy> {
  let armed: CommitFault | undefined;
  const lines = new Set<Line>();
  const listener = createServer((client) => {
    const line = new Line(client, connect({ host: '127.0.0.1', port, noDelay: true }), () => {
      const fault = armed;
      armed = undefined;
      return fault;
    });
    lines.add(line);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    through(url) {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
      return changed.href;
    },
    arm(fault) {
      armed = fault;
    },
    resetAll() {
      for (const line of lines) line.cut();
    },
    async [Symbol.asyncDispose]() {
      const closed = once(listener, 'close');
      listener.close();
      for (const line of lines) line.cut();
      await closed;
    },
  };
}

class Line {
  readonly #client: Socket;
  readonly #server: Socket;
  #answerBytes = Infinity;
  #cutsAfterAnswer = false;
  #abandoned = false;

  constructor(client: Socket, server: Socket, take: () => CommitFault | undefined) {
    this.#client = client;
    this.#server = server;
    client.setNoDelay(true);
    client.on('data', (bytes) => {
      const fault = bytes.includes('COMMIT') ? take() : undefined;
      if (fault === undefined) server.write(bytes);
      else this.#fail(fault, bytes);
    });
    server.on('data', (bytes) => this.#answer(bytes));
    client.on('error', () => undefined).on('close', () => this.#abandoned || server.destroy());
    server.on('error', () => undefined).on('close', () => client.destroy());
  }

  cut(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  #fail(fault: CommitFault, bytes: Buffer): void {
    if (fault === 'abandon') {
      this.#abandoned = true;
      this.#client.resetAndDestroy();
    } else if (fault === 'hold') {
      this.#answerBytes = 0;
      this.#server.write(bytes);
    } else if ('up' in fault) {
      this.#server.write(bytes.subarray(0, fault.up), () => setImmediate(() => this.cut()));
    } else {
      this.#answerBytes = fault.down;
      this.#cutsAfterAnswer = true;
      this.#server.write(bytes);
    }
  }

  #answer(bytes: Buffer): void {
    const part = bytes.subarray(0, this.#answerBytes);
    this.#answerBytes -= part.length;
    if (part.length > 0) this.#client.write(part);
    if (this.#cutsAfterAnswer && this.#answerBytes <= 0) setImmediate(() => this.cut());
  }
}
