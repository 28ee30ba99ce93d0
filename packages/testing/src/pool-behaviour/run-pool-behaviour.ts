import type { Connection, Database } from '@dal/core';
import { openDatabase } from '@dal/database';
import { type FakeDriver, fakeDriver } from '../fake/fake-driver.ts';
import { FakeError } from '../fake/fake-error.ts';
import type { PoolBehaviour } from './pool-behaviour.ts';

/** Time that passes only when it is told to, as far as timers and `performance.now()` go by it. */
export interface VirtualClock {
  /** Lets that much time pass, with everything that is due in it; 0 lets only promises settle. */
  advance(ms: number): Promise<unknown>;
}

/** One step as it went, to be compared with the one that is wanted. */
export type PoolStep = readonly [operation: string, ...events: readonly string[]];

/**
 * Plays a behaviour on a pool over a driver without a database.
 *
 * @throws Error for a step that doesn't read like one
 */
export async function runPoolBehaviour(
  { options, steps }: PoolBehaviour,
  clock: VirtualClock,
): Promise<PoolStep[]> {
  const stage = new Stage(options);
  const played: PoolStep[] = [];
  for (const [operation] of steps) {
    const passes = stage.play(operation);
    await clock.advance(passes);
    played.push([operation, ...stage.takeEvents()]);
  }
  const closing = stage.db.close({ timeoutMs: 0 });
  await clock.advance(30_000);
  await closing;
  return played;
}

class Stage {
  readonly db: Database;
  readonly #driver: FakeDriver;
  readonly #events: string[] = [];
  readonly #held = new Map<string, Connection>();
  readonly #signals = new Map<string, AbortController>();
  readonly #destroyed = new Set<number>();
  #callsSeen = 0;

  constructor(pool: Readonly<Record<string, unknown>>) {
    this.#driver = fakeDriver();
    this.db = openDatabase(this.#driver, {}, {
      pool: { acquireStacks: 'never', ...pool },
      retry: { maxRetries: 0 },
    } as object);
  }

  /** Begins an operation; says how much time passes in it. */
  play(operation: string): number {
    const [verb = '', ...words] = operation.split(' ');
    const [name = '', word, number] = words;
    const play: Readonly<Record<string, () => unknown>> = {
      acquire: () => this.#acquire(name, word === 'within' ? Number(number) : undefined),
      release: () => this.#take(name).release(),
      destroy: () => this.#take(name).destroy(),
      abort: () => this.#signals.get(name)?.abort(),
      time: () => undefined,
      lose: () => this.#driver.sessions[Number(name) - 1]?.lose(),
      refuse: () => this.#driver.once('connect', { error: refused() }, Number(name)),
      slow: () => this.#driver.on('connect', { delayMs: Number(word) }),
      silent: () => this.#silence(Number(name)),
      close: () => this.#close(Number(word)),
    };
    if (!Object.hasOwn(play, verb)) throw new Error(`"${operation}" is no operation of a pool.`);
    const ends: unknown = play[verb]?.();
    if (ends instanceof Promise) ends.catch((error: unknown) => this.#say(`failed ${code(error)}`));
    return verb === 'time' ? Number(name) : 0;
  }

  /** What has happened since it was asked last, in order. */
  takeEvents(): string[] {
    this.#seeCalls();
    return this.#events.splice(0);
  }

  #acquire(name: string, timeoutMs: number | undefined): void {
    const signal = new AbortController();
    this.#signals.set(name, signal);
    const options = { signal: signal.signal, ...(timeoutMs !== undefined && { timeoutMs }) };
    this.db.acquire(options).then(
      (connection) => {
        this.#held.set(name, connection);
        // The session that gets to see the name is the one that was lent.
        return connection.query(`SELECT ${name}`);
      },
      (error: unknown) => this.#say(`${name} failed ${code(error)}`),
    );
  }

  #take(name: string): Connection {
    const connection = this.#held.get(name);
    if (!connection) throw new Error(`${name} has no connection.`);
    return connection;
  }

  #silence(number: number): void {
    const session = this.#driver.sessions[number - 1];
    if (!session) throw new Error(`There is no session ${number}.`);
    // Pings are told apart by nothing but their session, so they all go unanswered.
    this.#driver.on('ping', { never: true });
  }

  #close(timeoutMs: number): void {
    void this.db.close({ timeoutMs }).then(() => this.#say('closed'));
  }

  #say(event: string): void {
    this.#seeCalls();
    this.#events.push(event);
  }

  #seeCalls(): void {
    const calls = this.#driver.calls.slice(this.#callsSeen);
    this.#callsSeen = this.#driver.calls.length;
    for (const { call, session, text } of calls) {
      if (call === 'connect') this.#events.push('connect');
      else if (call === 'query') this.#events.push(`${text.replace('SELECT ', '')} on ${session}`);
      else if (call !== 'destroy' || !this.#destroyed.has(session)) {
        this.#events.push(`${call} ${session}`);
      }
      // To end once more what has ended is nothing that happens.
      if (call === 'destroy') this.#destroyed.add(session);
    }
  }
}

function refused(): FakeError {
  return new FakeError('refused', { kind: 'connection', applied: 'no', code: 'REFUSED' });
}

function code(error: unknown): string {
  return String((error as { code?: unknown }).code ?? error);
}
