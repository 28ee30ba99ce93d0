import { rm } from 'node:fs/promises';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type Database } from '@dal/factory';
import type { TestEngine } from '../setup/start-engines.ts';

/** A folder for migrations, a history of its own, and names that nobody else uses. */
export interface MigrationStage extends AsyncDisposable {
  readonly url: string;
  readonly db: Database;
  readonly dir: string;
  readonly table: string;
  /** In front of every table of this test. */
  readonly prefix: string;
  /** What the calls take. */
  readonly at: { readonly dir: string; readonly table: string };
  /** `{p}` in a file's text becomes the prefix. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** The tables of this test that exist now, without the prefix. */
  tables(): Promise<string[]>;
}

let staged = 0;

export async function setStage({ name, url }: TestEngine): Promise<MigrationStage> {
  const prefix = `mig_${process.pid}_${++staged}_`;
  const table = `${prefix}history`;
  const dir = await mkdtemp(join(tmpdir(), 'dal-migrate-'));
  const own = name === 'sqlite' ? `sqlite:${join(dir, 'app.db')}` : url;
  const db = await createDatabase(own, { name, shared: false });
  const tables = async (): Promise<string[]> =>
    (await db.schema.tables())
      .map((found) => found.name)
      .filter((found) => found.startsWith(prefix))
      .map((found) => found.slice(prefix.length));
  return {
    url: own,
    db,
    dir,
    table,
    prefix,
    at: { dir, table },
    tables,
    async write(files) {
      for (const [file, text] of Object.entries(files)) {
        await writeFile(join(dir, file), text.replaceAll('{p}', prefix));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const found of await tables()) await db.execute(`DROP TABLE ${prefix}${found}`);
      await db.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
