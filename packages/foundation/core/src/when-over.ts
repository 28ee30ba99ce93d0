import type { Deadline } from './deadline.ts';
import { deadlines, type Watched } from './deadline-watch.ts';

/**
 * Calls one of both, once: `late` when the moment has passed, `aborted` when the signal is aborted; at
 * once when it is already. Like all deadlines, it doesn't keep the process alive.
 *
 * @returns what ends the watch
 */
export function whenOver(
  { at, signal }: Pick<Deadline, 'at' | 'signal'>,
  late: () => void,
  aborted: (signal: AbortSignal) => void,
): () => void {
  const end = (): void => {
    deadlines.delete(watched);
    signal?.removeEventListener('abort', onAbort);
  };
  const onAbort = (): void => {
    end();
    aborted(signal as AbortSignal);
  };
  const watched: Watched = {
    place: -1,
    deadlineAt: at,
    onDeadline() {
      end();
      late();
    },
  };
  if (signal?.aborted) {
    onAbort();
    return end;
  }
  if (at !== Infinity) deadlines.add(watched);
  signal?.addEventListener('abort', onAbort, { once: true });
  return end;
}
