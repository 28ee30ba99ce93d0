import type { NativeResult, NativeStatement } from '@dal/core';

/** How one call goes. An empty object: at once, without rows. */
export interface FakeAnswer extends Partial<NativeResult> {
  /** Milliseconds before the answer; counted by the timers of the process. */
  readonly delayMs?: number;
  /** The answer waits for this, so that a test holds the moment in its hand. */
  readonly after?: Promise<unknown>;
  /** The call rejects with this. */
  readonly error?: Error;
  /** The line breaks instead of an answer: the call rejects, and the session reports itself lost. */
  readonly loses?: boolean;
  /** No answer ever; only a cancel, or the end of the session, ends the call. */
  readonly never?: boolean;
}

export type FakeScript = FakeAnswer | ((statement: NativeStatement) => FakeAnswer);

interface Rule {
  readonly matches: (text: string) => boolean;
  readonly script: FakeScript;
  timesLeft: number;
}

/** The rules of a fake driver: the youngest that matches answers. */
export class Rules {
  readonly #rules: Rule[] = [];

  add(match: string | RegExp, script: FakeScript, times: number): void {
    const matches =
      typeof match === 'string'
        ? (text: string) => text === match
        : (text: string) => text.search(match) >= 0;
    this.#rules.push({ matches, script, timesLeft: times });
  }

  answerTo(statement: NativeStatement): FakeAnswer {
    const rule = this.#rules.findLast(
      ({ matches, timesLeft }) => timesLeft > 0 && matches(statement.text),
    );
    if (!rule) return {};
    rule.timesLeft--;
    return typeof rule.script === 'function' ? rule.script(statement) : rule.script;
  }
}

/** Waits as the answer says; an abort cuts the wait short and is thrown. */
export async function waitFor(answer: FakeAnswer, signal: AbortSignal): Promise<void> {
  const cut = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  cut.catch(() => undefined);
  if (signal.aborted) throw signal.reason;
  if (answer.never) await cut;
  if (answer.after) await Promise.race([answer.after, cut]);
  if (answer.delayMs !== undefined) {
    await Promise.race([passed(answer.delayMs, signal), cut]);
  }
}

// By the global timer, so that a test which sets the clock sets this one too.
function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}
