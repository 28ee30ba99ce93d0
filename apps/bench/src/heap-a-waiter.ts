import type { CheckoutContender } from './checkout-contenders.ts';
import { collectGarbage } from './collect-garbage.ts';

const WAITERS = 20_000;

/**
 * Bytes of heap that a caller takes who waits: the promise that it was given, and all that the pool
 * remembers of it. Everybody is served afterwards, in order.
 */
export async function heapAWaiter(
  contender: CheckoutContender,
  resources: number,
): Promise<number> {
  const held = await Promise.all(Array.from({ length: resources }, () => contender.acquire()));
  // Its places are made before, so that they are not counted.
  const waiting = Array.from({ length: WAITERS }, () => undefined as Promise<unknown> | undefined);
  const before = settledHeap();
  for (let at = 0; at < WAITERS; at++) waiting[at] = contender.acquire();
  const after = settledHeap();
  for (const one of held) contender.release(one);
  for (const one of waiting) contender.release(await one);
  return (after - before) / WAITERS;
}

function settledHeap(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
