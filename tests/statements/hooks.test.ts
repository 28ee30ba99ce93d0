import { createDatabase } from '@dal/factory';
import { expect, inject, test } from 'vitest';

const engines = inject('engines');

test.each(engines)('$name: listeners see every statement and never its values', async ({ url }) => {
  await using db = await createDatabase(url, { name: 'shop' });
  const seen: unknown[] = [];
  db.hooks.on('query:before', (event) => seen.push(['before', event]));
  db.hooks.on('query:after', ({ durationMs, ...event }) => {
    seen.push(['after', event]);
    expect(durationMs).toBeGreaterThan(0);
  });
  const off = db.hooks.on('query:error', ({ database, statement, tags, error }) => {
    seen.push(['error', { database, statement, tags }, error.kind]);
  });

  const tags = { route: 'login' };
  await db.query('SELECT ? AS secret', ['hunter2'], { tags });
  await db.transaction((tx) => tx.query('SELECT 2 AS two'));
  await expect(db.query('SELEKT 3')).rejects.toMatchObject({ kind: 'syntax' });
  off();
  await expect(db.query('SELEKT 4')).rejects.toMatchObject({ kind: 'syntax' });

  const [first, second, third] = ['SELECT ? AS secret', 'SELECT 2 AS two', 'SELEKT 3'].map(
    (statement) => ({ database: 'shop', statement, tags: undefined }),
  );
  expect(seen).toEqual([
    ['before', { ...first, tags }],
    ['after', { ...first, tags, rowCount: 1, affectedRows: 0 }],
    ['before', second],
    ['after', { ...second, rowCount: 1, affectedRows: 0 }],
    ['before', third],
    ['error', third, 'syntax'],
    ['before', { ...third, statement: 'SELEKT 4' }],
  ]);
  expect(JSON.stringify(seen)).not.toContain('hunter2');
});

test.each(engines)('$name: a listener that throws loses no connection', async ({ url }) => {
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => {
    warnings.push(warning.message);
  };
  process.on('warning', onWarning);
  try {
    await using db = await createDatabase(url, { pool: { max: 1 } });
    db.hooks.on('query:before', () => {
      throw new Error('bad before');
    });
    db.hooks.on('query:after', () => Promise.reject(new Error('bad after')));
    db.hooks.on('query:error', () => {
      throw new Error('bad error');
    });
    for (let round = 0; round < 3; round++) {
      expect(await db.queryValue('SELECT 7')).toBe(7);
      await expect(db.query('SELEKT')).rejects.toMatchObject({ kind: 'syntax' });
    }
    await expect.poll(() => db.pool.stats()).toMatchObject({ lent: 0, idle: 1, created: 1 });
    await expect.poll(() => warnings.length).toBe(12);
  } finally {
    process.off('warning', onWarning);
  }
  expect(new Set(warnings.map((text) => text.split(': ').at(-1)))).toEqual(
    new Set(['bad before', 'bad after', 'bad error']),
  );
});

test.each(engines)(
  '$name: echo writes statements with their time, without values',
  async ({ url }) => {
    const lines: string[] = [];
    await using db = await createDatabase(url, { name: 'shop', echo: (line) => lines.push(line) });
    await db.query('SELECT ? AS answer', ['secret']);
    await expect(db.query('SELEKT')).rejects.toMatchObject({ kind: 'syntax' });
    expect(lines).toEqual([
      expect.stringMatching(/^\[shop\] \d+\.\d ms, 1 rows: SELECT \? AS answer$/),
      expect.stringMatching(/^\[shop\] \d+\.\d ms, DAL_SYNTAX: SELEKT$/),
    ]);
  },
);
