import { ConnectionError, redactUrl, type TargetServer } from '@dal/core';
import { UNSETTLED } from './outage-watch.ts';
import type { Found, KnownServer } from './known-server.ts';

/** How long a server may take before the next one is tried as well. */
const PATIENCE_MS = 250;
const LONGEST_PATIENCE_MS = 2_000;

interface Reason<Options> {
  readonly server: KnownServer<Options>;
  readonly why: string;
}

/**
 * Tries servers in order until one will do. The next one is tried when one fails, and also when one
 * is slow: a server that is frozen accepts and never answers. What comes too late is not lost.
 */
export class ServerSearch<Options, Raw> {
  readonly found: Promise<Found<Raw>>;
  readonly #left: KnownServer<Options>[];
  readonly #reasons: Reason<Options>[];
  readonly #errors: unknown[] = [];
  readonly #attempt: (server: KnownServer<Options>) => Promise<Found<Raw> | string>;
  readonly #onSpare: (found: Found<Raw>) => void;
  readonly #target: TargetServer;
  readonly #pending = new Set<KnownServer<Options>>();
  #resolve!: (found: Found<Raw>) => void;
  #reject!: (error: unknown) => void;
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    servers: readonly KnownServer<Options>[],
    reasons: readonly Reason<Options>[],
    attempt: (server: KnownServer<Options>) => Promise<Found<Raw> | string>,
    onSpare: (found: Found<Raw>) => void,
    target: TargetServer,
  ) {
    this.#left = [...servers];
    this.#reasons = [...reasons];
    this.#attempt = attempt;
    this.#onSpare = onSpare;
    this.#target = target;
    this.found = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#next();
  }

  #next(): void {
    clearTimeout(this.#timer);
    const server = this.#left.shift();
    if (server) this.#try(server);
    else if (this.#pending.size === 0) {
      this.#end();
      this.#reject(this.#failure());
      return;
    }
    const slowest = Math.max(0, ...[...this.#pending].map(({ connectMs }) => connectMs));
    const patience = Math.min(Math.max(PATIENCE_MS, slowest * 2), LONGEST_PATIENCE_MS);
    this.#timer = setTimeout(() => {
      if (this.#left.length > 0) this.#next();
      else this.#giveUp();
    }, patience);
  }

  #try(server: KnownServer<Options>): void {
    this.#pending.add(server);
    this.#attempt(server).then(
      (answer) => {
        this.#pending.delete(server);
        if (typeof answer === 'string') this.#onMiss(server, answer);
        else if (this.#over) this.#onLateFind(server, answer);
        else {
          this.#end();
          this.#resolve(answer);
        }
      },
      (error: unknown) => {
        this.#pending.delete(server);
        this.#errors.push(error);
        const words = error instanceof Error && error.message ? error.message : String(error);
        this.#onMiss(server, `failed: ${redactUrl(words).replace(/\.$/, '')}`);
      },
    );
  }

  #onMiss(server: KnownServer<Options>, why: string): void {
    this.#reasons.push({ server, why });
    if (this.#over) server.forgotten--;
    else this.#next();
  }

  #onLateFind(server: KnownServer<Options>, found: Found<Raw>): void {
    server.forgotten--;
    this.#onSpare(found);
  }

  /** Nobody waits for those that are still under way; they are not tried again before they end. */
  #giveUp(): void {
    const names = [...this.#pending].map(({ name }) => name).join(', ');
    this.#end();
    this.#reject(
      new ConnectionError(`${this.#story()}; ${names} did not answer yet.`, {
        code: UNSETTLED,
        fault: { kind: 'connection', connectionLost: true, applied: 'no' },
      }),
    );
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const server of this.#pending) server.forgotten++;
  }

  #failure(): unknown {
    const waits = this.#reasons.some(({ server }) => server.forgotten > 0);
    return new ConnectionError(`${this.#story()}.`, {
      code: waits ? UNSETTLED : 'DAL_NO_SERVER',
      cause: this.#errors.length > 1 ? new AggregateError(this.#errors) : this.#errors[0],
      fault: { kind: 'notReady', connectionLost: true, applied: 'no' },
    });
  }

  #story(): string {
    const wanted = this.#target === 'any' ? 'can be used' : `is ${wordFor(this.#target)}`;
    const why = this.#reasons.map((reason) => `${reason.server.name} ${reason.why}`).join('; ');
    return `None of the servers ${wanted}${why ? `: ${why}` : ''}`.slice(0, 1_500);
  }
}

function wordFor(target: TargetServer): string {
  if (target === 'primary') return 'a primary';
  if (target === 'standby' || target === 'prefer-standby') return 'a standby';
  return target;
}
