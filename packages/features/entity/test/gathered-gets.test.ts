import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { channels, type Database, sql } from '@dal/core';
import { createEntityManager, type EntityManager } from '@dal/entity';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { openEngine, ownName } from './open-engine.ts';

interface Note {
  readonly number: number;
  readonly tags: string[];
}

describe.each(inject('engines'))('gets of one turn of the event loop, $name', (engine) => {
  const notes = ownName('notes');
  let folder: string;
  let db: Database;
  let em: EntityManager;
  let ids: string[];
  let statements = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dal-gets-'));
    db = openEngine(engine, join(folder, 'entities.db'));
    em = createEntityManager(counted(db, () => statements++));
    const all = Array.from({ length: 100 }, (_, number) => ({ number, tags: ['a'] }));
    ids = await em.saveMany(notes, all);
  });

  afterAll(async () => {
    await db.execute(sql`DROP TABLE ${sql.id(notes)}`);
    await db.execute(sql`DROP TABLE ${sql.id(`${notes}_history`)}`);
    await db.execute('DELETE FROM dal_entity_fields WHERE entity_type = ?', [notes]);
    await db.close();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    await em.get(notes, ids[0]!);
    statements = 0;
  });

  test('share statements, and each has its own answer', async () => {
    await em.delete(notes, ids[7]!);
    statements = 0;
    const asked = [...ids, 'nobody', ids[3]!, ids[3]!.toUpperCase()];
    const found = await Promise.all(asked.map((id) => em.get<Note>(notes, id)));
    expect(found.map((one) => one?.number)).toEqual([
      ...ids.map((_, number) => (number === 7 ? undefined : number)),
      undefined,
      3,
      undefined,
    ]);
    expect(statements).toBe(2);
    const deleted = await em.get<Note>(notes, ids[7]!, { includeDeleted: true });
    expect(deleted?.number).toBe(7);
  });

  test('who asks for the same twice may change one of them', async () => {
    const [one, other] = await Promise.all([
      em.get<Note>(notes, ids[1]!),
      em.get<Note>(notes, ids[1]!),
    ]);
    one!.tags.push('changed');
    expect(other!.tags).toEqual(['a']);
  });

  test('see what has been answered before them', async () => {
    for (const number of [-1, -2]) {
      await em.save(notes, { id: ids[2], number });
      const found = await Promise.all(ids.slice(0, 5).map((id) => em.get<Note>(notes, id)));
      expect(found[2]?.number).toBe(number);
    }
  });

  test('one with a time limit is asked for by itself', async () => {
    await Promise.all([
      em.get(notes, ids[0]!),
      em.get(notes, ids[1]!),
      em.get(notes, ids[2]!, { timeoutMs: 20_000 }),
    ]);
    expect(statements).toBe(2);
  });

  test('each is seen by itself while somebody listens', async () => {
    const listener = (): void => undefined;
    channels.query.start.subscribe(listener);
    try {
      await Promise.all(ids.slice(0, 5).map((id) => em.get(notes, id)));
    } finally {
      channels.query.start.unsubscribe(listener);
    }
    expect(statements).toBe(5);
  });

  test('who holds a connection asks by itself', async () => {
    await db.transaction(async () => {
      await Promise.all(ids.slice(0, 2).map((id) => em.get(notes, id)));
    });
    expect(statements).toBe(2);
  });

  test('in a transaction they keep their place among the other statements', async () => {
    await db.transaction(async (tx) => {
      const bound = em.on(tx);
      const before = bound.get<Note>(notes, ids[4]!);
      const after = bound.updateFields(notes, ids[4]!, { number: 1_000 });
      expect((await before)?.number).toBe(4);
      expect((await after).number).toBe(1_000);
    });
  });

  test('all of them hear of an error', async () => {
    const other = openEngine(engine, join(folder, 'entities.db'));
    const closed = createEntityManager(other);
    await closed.get(notes, ids[0]!);
    await other.close();
    const ended = await Promise.allSettled(ids.slice(0, 3).map((id) => closed.get(notes, id)));
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});

/** The same database; every statement of the manager's is told. */
function counted(db: Database, tell: () => void): Database {
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]): unknown => {
        if (name === 'execute') tell();
        return Reflect.apply(value, target, given);
      };
    },
  });
}
