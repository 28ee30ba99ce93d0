import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '@dal/factory';

/** An empty database, which nobody else has: not even another run of the same tests. */
export interface OwnDatabase extends AsyncDisposable {
  readonly url: string;
}

/** @param engine a server's address; of SQLite it is a new file */
export function ownDatabase(
  engine: { name: string; url: string },
  topic: string,
): Promise<OwnDatabase> {
  if (engine.name === 'sqlite') return newFile(topic);
  return newDatabase(engine.url, `dal_${topic}_${process.pid}`);
}

async function newFile(topic: string): Promise<OwnDatabase> {
  const folder = await mkdtemp(join(tmpdir(), `dal-${topic}-`));
  return {
    url: `sqlite:${join(folder, 'own.db')}`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function newDatabase(engineUrl: string, name: string): Promise<OwnDatabase> {
  const force = engineUrl.startsWith('postgres') ? ' WITH (FORCE)' : '';
  const drop = `DROP DATABASE IF EXISTS ${name}${force}`;
  const admin = async (...statements: string[]): Promise<void> => {
    await using db = await createDatabase(engineUrl, { pool: { max: 1 } });
    for (const statement of statements) await db.execute(statement);
  };
  await admin(drop, `CREATE DATABASE ${name}`);
  const url = Object.assign(new URL(engineUrl), { pathname: `/${name}` }).href;
  return { url, [Symbol.asyncDispose]: () => admin(drop) };
}
