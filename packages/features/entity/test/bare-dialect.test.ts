// An engine whose dialect says no more than it must: everything goes the long way round, and comes
// to the same end.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, Dialect } from '@dal/core';
import { openDatabase } from '@dal/database';
import { createEntityManager } from '@dal/entity';
import { driver as mysql } from '@dal/mysql';
import { driver as postgres } from '@dal/postgres';
import { driver as sqlite } from '@dal/sqlite';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ownName } from './open-engine.ts';

describe.each(inject('engines'))('$name', ({ name, url }) => {
  let folder: string;
  let db: Database;
  const type = ownName('bare');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-entity-'));
    db = {
      postgres: () => openDatabase({ ...postgres, dialect: bare(postgres.dialect) }, url),
      mysql: () => openDatabase({ ...mysql, dialect: bare(mysql.dialect) }, url),
      mariadb: () => openDatabase({ ...mysql, dialect: bare(mysql.dialect) }, url),
      sqlite: () =>
        openDatabase(
          { ...sqlite, dialect: bare(sqlite.dialect) },
          `sqlite:${join(folder, 'bare.db')}`,
          { pool: { max: 3 } },
        ),
    }[name]();
  });

  afterAll(async () => {
    await db.execute(`DROP TABLE IF EXISTS ${type}`);
    await db.execute(`DROP TABLE IF EXISTS ${type}_history`);
    await db.execute('DELETE FROM dal_entity_fields WHERE entity_type = ?', [type]);
    await db.close();
    await rm(folder, { recursive: true });
  });

  test('saves, changes, keeps and finds', async () => {
    const em = createEntityManager(db);
    await em.save(type, { id: 'a', name: 'Ada', big: 5n });
    await Promise.all(Array.from({ length: 4 }, (_, n) => em.save(type, { id: 'a', n })));
    await createEntityManager(db).save(type, { id: 'b', later: [1] });
    expect((await em.history(type, 'a')).map(({ version }) => version)).toEqual(
      Array.from({ length: 5 }, (_, n) => 5 - n),
    );
    await em.saveMany(type, [{ id: 'a', n: 50 }, { id: 'b', n: 60 }, { n: 70 }]);
    expect(await em.rollbackTo(type, 'a', 1)).toMatchObject({ version: 7, name: 'Ada', n: null });
    expect(await em.count(type, { where: { n: { '>': 55 } } })).toBe(2);
    await db.transaction(async (tx) => {
      await em.on(tx).save(type, { id: 'b', n: 61 });
      await em.on(tx).delete(type, 'a');
    });
    expect(await em.get(type, 'b')).toMatchObject({ version: 3, n: 61, later: [1] });
    expect(await em.get(type, 'a')).toBeUndefined();
  });
});

const EXTRAS: ReadonlySet<string> = new Set<keyof Dialect>([
  'catalog',
  'changesInWith',
  'exactTypes',
  'nullOrder',
  'returning',
  'rowLock',
  'upsert',
]);

function bare(full: Dialect): Dialect {
  const kept = Object.entries(full).filter(([member]) => !EXTRAS.has(member));
  return Object.fromEntries(kept) as unknown as Dialect;
}
