#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

void runCommandLine(process.argv.slice(2), {
  signal: stop.signal,
  print: (text) => process.stdout.write(`${text}\n`),
  report: (text) => process.stderr.write(`${text}\n`),
}).then((code) => {
  process.exitCode = code;
});
