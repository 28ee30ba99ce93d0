import type { Stage } from '../shows/show.ts';

/** Something that goes wrong until it is ended. */
export interface Incident {
  /** What happens, for those who choose. */
  readonly words: string;
  /** Goes on until `stage.signal` is aborted, and leaves everything in order. */
  run(stage: Stage): Promise<void>;
}

/** Waits until the incident is over. */
export function over(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
