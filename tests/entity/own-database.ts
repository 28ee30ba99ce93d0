import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '@dal/factory';
import type { TestEngine } from '../setup/start-engines.ts';

export interface OwnDatabase extends AsyncDisposable {
  readonly url: string;
}

/** An empty database for one file of tests, so that no type, table or row is shared with another. */
export async function ownDatabase(
  { name, url }: Pick<TestEngine, 'name' | 'url'>,
  topic: string,
): Promise<OwnDatabase> {
  if (name === 'sqlite') {
    const folder = await mkdtemp(join(tmpdir(), `dal-entity-${topic}-`));
    return {
      url: `sqlite:${join(folder, 'entities.db')}`,
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  }
  // Two runs may share a server.
  const database = `dal_entity_${topic}_${process.pid}`;
  const drop = `DROP DATABASE IF EXISTS ${database}${name === 'postgres' ? ' WITH (FORCE)' : ''}`;
  const run = async (...statements: string[]): Promise<void> => {
    await using admin = await createDatabase(url, { pool: { max: 1 } });
    for (const statement of statements) await admin.execute(statement);
  };
  await run(drop, `CREATE DATABASE ${database}`);
  const own = new URL(url);
  own.pathname = `/${database}`;
  return { url: own.href, [Symbol.asyncDispose]: () => run(drop) };
}
