import { existsSync } from 'node:fs';
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type ResourceLimits,
  Worker,
} from 'node:worker_threads';
import { ConfigError, ConnectionError } from '@dal/core';
import { bundled } from './bundled.ts';
import { type CarriedError, uncarryError } from './carried-error.ts';
import { type Answer, PULSE, type Request, WORD, type WorkerStart } from './messages.ts';

/** How long the thread sleeps at a time before it looks whether the worker still lives. */
const SLICE_MS = 50;
/** What a call may take beyond its limit: the worker ends it in time by itself. */
const GRACE_MS = 5_000;
/** A worker whose event loop stands still for this long is given up, whatever the call may take. */
const STALL_MS = 30_000;

/** The worker thread, as the thread sees it that waits for it. One request at a time. */
export class SyncThread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #words: Int32Array;
  readonly #exited: Promise<void>;
  #usable = true;

  constructor(limits: ResourceLimits = {}) {
    const { port1, port2 } = new MessageChannel();
    const memory = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
    // The same file, as source or as built.
    const source = import.meta.url.endsWith('.ts');
    const file = new URL(source ? './sync-worker.ts' : './sync-worker.js', import.meta.url);
    if (!existsSync(file)) throw bundled();
    this.#port = port1;
    this.#words = new Int32Array(memory);
    this.#worker = new Worker(file, {
      workerData: { port: port2, words: memory } satisfies WorkerStart,
      transferList: [port2],
      // What the program was started with (loaders, scripts, inspectors) has no business in there.
      execArgv: source ? ['--conditions=@dal/source', '--disable-warning=ExperimentalWarning'] : [],
      resourceLimits: limits,
      name: 'dal-sync',
    });
    // Nobody's reason to go on: while a call is under way, the thread stands still anyway.
    this.#worker.unref();
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#usable = false;
        resolve();
      });
    });
    // Whoever calls next is told.
    this.#worker.on('error', () => undefined);
  }

  /** False once it ended, as far as is known here. */
  get usable(): boolean {
    return this.#usable && Atomics.load(this.#words, WORD.ENDED) === 0;
  }

  /**
   * Sends a request and holds the thread until its answer is there.
   *
   * @param limitMs how long the worker may take by its own rules
   * @throws ConnectionError `DAL_SYNC_WORKER_LOST` when there will be no answer
   */
  ask(request: Request, limitMs: number): Exclude<Answer, { readonly kind: 'died' }> {
    if (!this.usable) throw this.#lost('ended before this call', 'no');
    const seen = Atomics.load(this.#words, WORD.ANSWERS);
    const isObserved = this.#send(request);
    if (isObserved === 'gone') throw this.#lost('ended before this call', 'no');
    const watch = new Watch(limitMs + GRACE_MS);
    for (;;) {
      const slept = Atomics.wait(this.#words, WORD.ANSWERS, seen, SLICE_MS);
      const answer = this.#receive();
      if (answer?.kind === 'died') throw this.#lost('died of an error', 'unknown', answer.error);
      if (answer) return answer;
      if (Atomics.load(this.#words, WORD.ENDED) === 1) {
        throw this.#lost('ended while this call was under way', 'unknown');
      }
      if (slept !== 'timed-out') continue;
      if (this.#send(PULSE) === 'gone') {
        throw this.#lost('was ended while this call was under way', 'unknown');
      }
      const problem = watch.look(Atomics.load(this.#words, WORD.PULSES));
      if (problem !== undefined) throw this.#lost(problem, 'unknown');
    }
  }

  /** Ends the thread and all that is in it. */
  async end(): Promise<void> {
    this.#usable = false;
    this.#port.close();
    void this.#worker.terminate();
    await this.#exited;
  }

  /**
   * Node says `true` for a message that had somewhere to go and nothing when the other end is closed,
   * which is how the end of a thread shows that could not say a word (killed, out of memory).
   */
  #send(message: Request | typeof PULSE): 'sent' | 'gone' {
    let sent: unknown;
    try {
      sent = this.#port.postMessage(message, []);
    } catch (cause) {
      throw new ConfigError(
        "Something in this call can't go to the worker thread that runs it. Values are texts, numbers, bytes, dates and json(...). Nothing was sent.",
        { kind: 'usage', code: 'DAL_VALUE', cause },
      );
    }
    if (sent === true) tellsOfSending = true;
    return tellsOfSending && sent !== true ? 'gone' : 'sent';
  }

  #receive(): Answer | undefined {
    const received: { readonly message: Answer } | undefined = receiveMessageOnPort(this.#port);
    return received?.message;
  }

  #lost(how: string, applied: 'no' | 'unknown', cause?: CarriedError): ConnectionError {
    void this.end();
    const outcome =
      applied === 'no'
        ? 'Nothing was sent.'
        : 'Whether what it was asked for took effect is unknown.';
    return new ConnectionError(
      `The worker thread behind blocking calls ${how}. ${outcome} The next call starts another one; transactions and connections of this one are gone.`,
      {
        kind: 'connection',
        code: 'DAL_SYNC_WORKER_LOST',
        ...(cause === undefined ? {} : { cause: uncarryError(cause) }),
        fault: { kind: 'connection', connectionLost: true, applied },
      },
    );
  }
}

/** Not written in Node's manual, so it counts only where it was seen to work. */
let tellsOfSending = false;

/** Counts the time asleep, so that a suspended program doesn't take it for the worker's. */
class Watch {
  readonly #limitMs: number;
  #sleptMs = 0;
  #stalledMs = 0;
  #pulses: number | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** @returns what is wrong, if anything is */
  look(pulses: number): string | undefined {
    this.#sleptMs += SLICE_MS;
    this.#stalledMs = pulses === this.#pulses ? this.#stalledMs + SLICE_MS : 0;
    this.#pulses = pulses;
    if (this.#sleptMs > this.#limitMs) return 'gave no answer in time and was ended';
    if (this.#stalledMs > STALL_MS) return 'stood still for too long and was ended';
    return undefined;
  }
}
