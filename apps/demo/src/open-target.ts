import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '@dal/core';
import { type ConfigOptions, createDatabase, type Environment, loadConfig } from '@dal/factory';
import type { Server } from '@dal/testing/servers';
import type { DemoOptions, ServerName } from './options.ts';
import type { Screen } from './screen.ts';

/** The database that this run works on, with everything that was started for it. */
export interface Target extends AsyncDisposable {
  /** Opens a database of its own, with its own pool. */
  open(options: ConfigOptions): Promise<Database>;
  /** The server that was started for this run. */
  readonly server: Server | undefined;
  /** Where it came from, in words. */
  readonly from: string;
}

/** A server that is started for this run, the database that the environment names, or a new file. */
export async function openTarget(options: DemoOptions, screen: Screen): Promise<Target> {
  if (options.server !== undefined) return startTarget(options.server, screen);
  const named = loadConfig({ env: meantForUs() });
  if (named.url === undefined && named.driver === undefined) return temporaryFile();
  return {
    server: undefined,
    from: 'named by the environment',
    open: (extra) => createDatabase({ ...named, ...extra }),
    async [Symbol.asyncDispose]() {},
  };
}

/** What `PGHOST` and the like name is no playground. */
function meantForUs(): Environment {
  const variables = Object.entries(process.env).filter(([name]) => name.startsWith('DATABASE_'));
  return Object.fromEntries(variables);
}

async function startTarget(name: ServerName, screen: Screen): Promise<Target> {
  screen.line(screen.style('dim', `Starting ${name} for this run ...`));
  const startedAt = performance.now();
  // Loaded here only: nobody else needs to know how servers are started.
  const { startServer } = await import('@dal/testing/servers');
  const server = await startServer(name);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  return {
    server,
    from: `started in ${seconds} s, via ${server.via}`,
    open: (extra) => createDatabase(server.url, extra),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function temporaryFile(): Target {
  const folder = mkdtempSync(join(tmpdir(), 'dal-demo-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // A second Ctrl-C ends the program wherever it is; the folder goes then too.
  process.once('exit', remove);
  return {
    server: undefined,
    from: `a file in ${folder}, removed at the end`,
    open: (extra) => createDatabase('sqlite', { path: join(folder, 'demo.db'), ...extra }),
    async [Symbol.asyncDispose]() {
      process.off('exit', remove);
      remove();
    },
  };
}
