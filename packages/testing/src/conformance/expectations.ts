import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDalError, type DalError } from '@dal/core';

/** The error of the layer that `run` ends in; anything else is a failure. */
export async function refusal(run: () => unknown): Promise<DalError> {
  let answer: unknown;
  try {
    answer = await run();
  } catch (error) {
    if (isDalError(error)) return error;
    throw new assert.AssertionError({ message: `not an error of the layer: ${String(error)}` });
  }
  const said = JSON.stringify(answer, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  throw new assert.AssertionError({ message: `expected an error, got ${said?.slice(0, 200)}` });
}

/** Waits for `run`, for `timeoutMs` at most. */
export async function within<T>(
  timeoutMs: number,
  what: string,
  run: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([
      run(),
      sleep(timeoutMs, undefined, { signal: over.signal }).then(() => {
        throw new assert.AssertionError({ message: `${what} did not end within ${timeoutMs} ms` });
      }),
    ]);
  } finally {
    over.abort();
  }
}

/** Asks again and again until the answer is true; for what a server does in its own time. */
export async function eventually(
  timeoutMs: number,
  what: string,
  ask: () => Promise<boolean> | boolean,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await ask())) {
    assert.ok(performance.now() < end, `${what}: not so after ${timeoutMs} ms`);
    await sleep(20);
  }
}

/** How long `run` took, in milliseconds. */
export async function elapsed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
