import { startEngines } from '@dal/testing/servers';
import type { TestProject } from 'vitest/node';

/** A database server that the tests may use. */
export interface TestEngine {
  readonly name: 'postgres' | 'mysql' | 'mariadb' | 'sqlite';
  readonly url: string;
  /** What the server itself answered when asked for its version. */
  readonly version: string;
  /** Process id of a server that this run started itself. */
  readonly pid?: number;
  /** Where the server came from: an address in the environment, Docker, or local binaries. */
  readonly via: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    engines: TestEngine[];
  }
}

/** Starts the servers once a run and stops them afterwards; teardown prints nothing. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { engines, stop } = await startEngines();
  try {
    for (const { name, version, via } of engines) console.log(`${name} ${version} (${via})`);
    // Provided values travel to the workers by structured clone: plain copies only.
    project.provide(
      'engines',
      engines.map((engine) => ({ ...engine })),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
