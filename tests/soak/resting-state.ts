import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What a process has while nothing is asked of it. */
export interface RestingState {
  /** Since the first one. */
  readonly atSeconds: number;
  /** After full collections, without what V8 compiles: it does so for minutes, and gives it up by itself. */
  readonly heapBytes: number;
  /** Outside of the heap, but kept by it: what sockets read into, for one. */
  readonly bufferBytes: number;
  readonly sockets: number;
  readonly timers: number;
  /** All other things that the event loop knows of. */
  readonly others: number;
  /** Of the process and of the signals that statements were given. */
  readonly listeners: number;
}

const began = performance.now();

/** @param signalListeners those on signals that outlive their statements */
export async function restingState(signalListeners: number): Promise<RestingState> {
  // Finalizers, and what they let go of, take another turn.
  for (let turn = 0; turn < 3; turn++) {
    collectGarbage();
    await sleep(2);
  }
  const heapBytes = getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !/^(?:code|trusted)/.test(name))
    .reduce((sum, { space_used_size: size }) => sum + size, 0);
  const resources = process.getActiveResourcesInfo();
  const count = (...names: readonly string[]): number =>
    resources.filter((name) => names.includes(name)).length;
  const sockets = count('TCPSocketWrap', 'PipeWrap', 'TLSWrap');
  const timers = count('Timeout', 'Immediate');
  const own = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return {
    atSeconds: (performance.now() - began) / 1_000,
    heapBytes,
    bufferBytes: process.memoryUsage().arrayBuffers,
    sockets,
    timers,
    others: resources.length - sockets - timers,
    listeners: own + signalListeners,
  };
}

/** The slope of the line that fits best, in units of `y` for one of `x`. */
export function leastSquares(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (part: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[part], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
