#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';

const stop = new AbortController();
// The first one stops the statement and rolls back; whoever is in a hurry says it again.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

void runCommandLine(process.argv.slice(2), {
  signal: stop.signal,
  print: (text) => process.stdout.write(`${text}\n`),
  report: (text) => process.stderr.write(`${text}\n`),
}).then((code) => {
  process.exitCode = code;
  // Code of a migration may have left a timer or a socket behind, and a pipeline waits for the end.
  process.stdout.write('', () => process.stderr.write('', () => process.exit()));
});
