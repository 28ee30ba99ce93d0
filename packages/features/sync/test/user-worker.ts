import { parentPort, workerData } from 'node:worker_threads';
import { enableSync } from '@dal/sync';
import { openEngine } from './open-databases.ts';

/** A worker thread of a program, with blocking calls of its own. */
const { engine, path, text, rounds } = workerData as {
  readonly engine: Parameters<typeof openEngine>[0];
  readonly path: string;
  readonly text: string;
  readonly rounds: number;
};

enableSync();
const db = openEngine(engine, path);
db.sync.connect();
parentPort?.once('message', () => {
  const answers: unknown[] = [];
  const from = Date.now();
  for (let round = 0; round < rounds; round++) answers.push(db.sync.queryValue(text, [round]));
  const to = Date.now();
  void db.close().then(() => parentPort?.postMessage({ answers, from, to }, []));
});
parentPort?.postMessage('ready', []);
