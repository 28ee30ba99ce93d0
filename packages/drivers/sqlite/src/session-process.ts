/** The process that a session lives in: one file, one request at a time, and it dies with its parent. */
import { readOrder, writeReply } from './parent-line.ts';
import { watchParent } from './parent-watch.ts';
import { SessionServer } from './session-server.ts';

process.title = 'dal-sqlite';
// Ctrl-C reaches the whole group of processes; when to end is the parent's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const watch = watchParent();
const server = new SessionServer();
try {
  for (let order = readOrder(); order?.[0][0] !== 'close'; order = readOrder()) {
    // The parent has gone.
    if (order === undefined) break;
    const [request, limitMs, forget] = order;
    watch.begin(limitMs);
    const reply = server.answer(request, forget);
    watch.end();
    const started = request[0] !== 'start' || reply[0];
    if (!writeReply(reply) || !started) break;
  }
} finally {
  try {
    server.close();
  } finally {
    process.exit(0);
  }
}
