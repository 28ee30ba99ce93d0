// The worker thread behind blocking calls: takes one request at a time and wakes the thread that waits.
import { workerData } from 'node:worker_threads';
import { ConfigError } from '@dal/core';
import { carryError } from './carried-error.ts';
import { markAsSyncWorker } from './is-async-environment.ts';
import { type Answer, PULSE, type Request, WORD, type WorkerStart } from './messages.ts';
import { RequestServer } from './serve-requests.ts';

const { port, words: memory } = workerData as WorkerStart;
const words = new Int32Array(memory);
const server = new RequestServer();

markAsSyncWorker();

// The waiting thread gets no events: it can only look at shared memory.
process.on('exit', () => {
  Atomics.store(words, WORD.ENDED, 1);
  Atomics.notify(words, WORD.ANSWERS);
});

// Its last words; the thread ends right after.
process.on('uncaughtExceptionMonitor', (error) => {
  send({ kind: 'died', error: carryError(error) });
});

port.on('message', (message: Request | typeof PULSE) => {
  if (message === PULSE) Atomics.add(words, WORD.PULSES, 1);
  else void server.serve(message).then(send);
});

function send(answer: Answer): void {
  try {
    port.postMessage(answer);
  } catch (error) {
    port.postMessage({ kind: 'error', error: carryError(cannotTravel(error)), own: false });
  }
  Atomics.add(words, WORD.ANSWERS, 1);
  Atomics.notify(words, WORD.ANSWERS);
}

function cannotTravel(cause: unknown): ConfigError {
  return new ConfigError(
    'The result holds something that only exists in the thread which made it, such as a function. Read it with the awaited call.',
    { kind: 'data', code: 'DAL_SYNC_RESULT', cause },
  );
}
