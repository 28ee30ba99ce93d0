import { createEntityManager } from '@dal/entity';
import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';
import { ownDatabase } from './own-database.ts';
import { liveRandomly } from './random-entities.ts';

// ENTITY_SEED and ENTITY_STEPS run another life, or a longer one.
const seed = Number(process.env['ENTITY_SEED'] ?? 20_261_121);
const steps = Number(process.env['ENTITY_STEPS'] ?? 1_000);

test.each(inject('engines'))(
  '$name: a random life of entities is what the model says, version by version',
  { timeout: 60 * steps + 30_000 },
  async (engine) => {
    await using own = await ownDatabase(engine, 'random');
    await using db = await createDatabase(own.url, { pool: { max: 2 } });
    await using observer = await createDatabase(own.url, { pool: { max: 1 } });
    const counts = await liveRandomly(createEntityManager(db), observer, { steps, seed });
    console.log(engine.name, Object.fromEntries(counts));
    expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(steps);
  },
);
