import { PGlite } from '@electric-sql/pglite';

/** One PostgreSQL, and who uses it: a folder must not be opened twice. */
export interface Engine {
  readonly database: PGlite;
  /** The session whose transaction is open. */
  holder: object | undefined;
  /** The last one closes it. */
  leave(): Promise<void>;
}

interface Entry {
  readonly opening: Promise<PGlite>;
  users: number;
}

const open = new Map<unknown, Entry>();
const shared = new WeakMap<PGlite, Engine>();

/** @param key the folder, or for a database in memory whatever its sessions have in common */
export async function enterEngine(key: unknown, path: string): Promise<Engine> {
  const entry = open.get(key) ?? {
    opening: path === ':memory:' ? PGlite.create() : PGlite.create(path),
    users: 0,
  };
  open.set(key, entry);
  entry.users++;
  const leave = async (): Promise<void> => {
    if (--entry.users > 0) return;
    open.delete(key);
    await (await entry.opening).close();
  };
  try {
    const database = await entry.opening;
    const engine = shared.get(database) ?? { database, holder: undefined, leave };
    shared.set(database, engine);
    return engine;
  } catch (error) {
    open.delete(key);
    throw error;
  }
}
