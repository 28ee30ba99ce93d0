import type { Database } from '@dal/core';
import type { Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { overDal, overOwnDriver, shown } from './contenders.ts';
import { dropTables, examples, fillTables, makeTables } from './examples.ts';

// What Knex's documentation shows runs unchanged, with the answers of Knex's own drivers.
describe.each(inject('engines'))('$name', (engine) => {
  let db: Database;
  let ours: Knex;
  let own: Knex;

  beforeAll(async () => {
    own = overOwnDriver(engine);
    ({ db, ours } = await overDal(engine));
    await makeTables(ours);
  });
  afterAll(async () => {
    await dropTables(ours);
    await Promise.all([own.destroy(), ours.destroy()]);
    expect(db.status().state).toBe('closed');
  });

  test.each(Object.keys(examples))('%s', async (name) => {
    const answers: unknown[] = [];
    for (const knex of [own, ours]) {
      await fillTables(knex, engine.name);
      answers.push(shown(await examples[name]!(knex, engine.name)));
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(db.pool.stats()).toMatchObject({ lent: 0 });
    expect(db.pool.leaks()).toEqual([]);
  });
});
