import { Worker } from 'node:worker_threads';

/** What a thread needs to know of the main one, which may be deep in a statement and hear nothing. */
export interface ParentWatch {
  /** A statement begins, which may take so long; 0: for ever. */
  begin(limitMs: number): void;
  end(): void;
}

/** [0] is odd while a statement runs, and another number for each; [1] is its limit. */
type Shared = Int32Array<SharedArrayBuffer>;

// Plain JavaScript in a text: it needs no file, and starts in a tenth of the time.
const source = `
const { workerData } = require('node:worker_threads');
const { parent, shared, everyMs } = workerData;
const alone = () => {
  if (process.platform !== 'win32') return process.ppid !== parent;
  try { process.kill(parent, 0); return false; } catch { return true; }
};
let turn = 0;
let since = 0;
const late = () => {
  const now = performance.now();
  const current = Atomics.load(shared, 0);
  if (current !== turn) {
    turn = current;
    since = now;
    return false;
  }
  const limit = Atomics.load(shared, 1);
  return current % 2 !== 0 && limit > 0 && now - since >= limit;
};
setInterval(() => { if (late() || alone()) process.kill(process.pid, 'SIGKILL'); }, everyMs);
`;

/**
 * Ends this process soon after its parent died, or when a statement took longer than its limit: the
 * parent may be frozen and can't stop it. Without this it would hold the file's lock until the
 * statement ends, which may be never.
 */
export function watchParent(everyMs = 500): ParentWatch {
  const shared: Shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(source, {
    eval: true,
    env: {},
    workerData: { parent: process.ppid, shared, everyMs },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 1 },
  });
  worker.on('error', () => undefined);
  worker.unref();
  return {
    begin(limitMs) {
      Atomics.store(shared, 1, limitMs);
      Atomics.add(shared, 0, 1);
    },
    end: () => void Atomics.add(shared, 0, 1),
  };
}
