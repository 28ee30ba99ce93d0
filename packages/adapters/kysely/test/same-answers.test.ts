import type { Database } from '@dal/core';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  type AnyTables,
  dropDatabase,
  overDal,
  overOwnDriver,
  ownDatabase,
  shown,
} from './contenders.ts';
import { examples, fillTables, makeTables, tearDown } from './examples.ts';

// What Kysely's documentation shows runs unchanged, with the answers of Kysely's own drivers.
describe.each(inject('engines'))('$name', (shared) => {
  let engine = shared;
  let db: Database;
  let ours: Kysely<AnyTables>;
  let own: Kysely<AnyTables>;

  beforeAll(async () => {
    engine = await ownDatabase(shared);
    own = overOwnDriver(engine);
    ({ db, kysely: ours } = await overDal(engine));
    await makeTables(ours, engine.name);
  });
  afterAll(async () => {
    await tearDown(ours);
    await Promise.all([own.destroy(), ours.destroy()]);
    expect(db.status().state).toBe('closed');
    await dropDatabase(shared);
  });

  test.each(Object.keys(examples))('%s', async (name) => {
    const answers: unknown[] = [];
    for (const kysely of [own, ours]) {
      await fillTables(kysely, engine.name);
      answers.push(shown(await examples[name]!(kysely, engine.name)));
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(db.pool.stats()).toMatchObject({ lent: 0 });
    expect(db.pool.leaks()).toEqual([]);
  });
});
