import { ConnectionError } from '@dal/core';
import type { Incident } from './incident.ts';

/** The workers wait for the server; these don't. */
const IMPATIENT_MS = 500;

export const outage: Incident = {
  words: 'the server is stopped; only with --server',
  async run({ db, server, signal }) {
    if (!server) throw new Error('Only a server that the demo has started is stopped: --server.');
    await server.stop();
    try {
      while (!signal.aborted) {
        const call = db.query('SELECT 1', [], { timeoutMs: IMPATIENT_MS });
        const error: unknown = await call.catch((thrown: unknown) => thrown);
        if (!(error instanceof ConnectionError)) throw new Error('The server should be away.');
      }
    } finally {
      await server.start();
    }
  },
};
