import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { suggest } from '@dal/core';
import { enableScaling } from '@dal/scaling';
import { listen } from './console-server.ts';
import { openTarget } from './open-target.ts';

/** What the command line talks to. */
export interface Terminal {
  /** Ends the console. */
  readonly signal: AbortSignal;
  /** The answer: standard output. */
  readonly print: (text: string) => void;
  /** Everything else: standard error. */
  readonly report: (text: string) => void;
}

const HELP = `dal-console [url] [options]

Shows one page about a database's server: what it runs for whom, how many places it has left, and
how long it takes to answer. The page is for this machine only.

  url              the database; default: DATABASE_URL of the environment, which is also the better
                   place for a password
  --port <number>  default: 7878; 0: any that is free
  --actions        let the page stop statements
  --help           this text

A program shows its own pools with consoleHandler() or startConsole() of @dal/console.`;

const OPTIONS = {
  port: { type: 'string' },
  actions: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Serves the console until the signal; answers the exit code and never rejects. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const { help, url, port, actions } = readArguments(args);
    if (help) terminal.print(HELP);
    else await serve(url, { port, actions }, terminal);
    return 0;
  } catch (error) {
    const { message } = error as { message?: string };
    terminal.report(`dal-console: ${message ?? String(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function serve(
  url: string | undefined,
  options: { readonly port: number; readonly actions: boolean },
  { signal, print }: Terminal,
): Promise<void> {
  const db = await openTarget(url);
  try {
    await db.connect();
    const scaling = enableScaling();
    scaling.probeHeadroom(db);
    const console = await listen(options, db);
    print(`The console is at ${console.url}`);
    if (!signal.aborted) await once(signal, 'abort');
    await console.close();
    scaling.disable();
  } finally {
    await db.close({ timeoutMs: 5_000 });
  }
}

/** The command was not understood; nothing was done. */
class UsageError extends Error {}

function readArguments(args: readonly string[]): {
  help: boolean;
  url: string | undefined;
  port: number;
  actions: boolean;
} {
  const { values, positionals } = parse(args);
  const [url, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError('It takes one URL.');
  const port = Number(values.port ?? 7878);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError('--port must be a whole number from 0 to 65535.');
  }
  return { help: values.help === true, url, port, actions: values.actions === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true });
  } catch {
    // Its own message would repeat what was given, a password among it perhaps.
    const given = args
      .filter((arg) => arg.startsWith('--'))
      .map((arg) => arg.slice(2).split('=')[0]);
    const unknown = given.find((name) => name !== undefined && !Object.hasOwn(OPTIONS, name));
    const likely = unknown === undefined ? undefined : suggest(unknown, Object.keys(OPTIONS));
    const advice = likely === undefined ? 'See dal-console --help.' : `Did you mean "--${likely}"?`;
    throw new UsageError(`The options were not understood. ${advice}`);
  }
}
