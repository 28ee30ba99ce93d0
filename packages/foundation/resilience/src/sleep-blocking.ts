/** Holds the whole thread still; nothing else of the program runs meanwhile. */
export function sleepBlocking(ms: number): void {
  // Nobody else has this memory, so that nothing but the time ends the wait.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
