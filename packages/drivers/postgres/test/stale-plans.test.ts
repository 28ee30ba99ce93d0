import { expect, test } from 'vitest';
import { postgres, postgresDriver } from '../src/index.ts';
import { openSession, rowsOf, url } from './sessions.ts';

// The server refuses a prepared statement whose columns have changed: "cached plan must not change
// result type". With its `*`, this text has such columns.
const TEXT = 'SELECT * FROM dal_pg_shape';

/** A table whose columns change for as long as the work lasts. */
async function whileColumnsChange(work: () => Promise<void>): Promise<number> {
  const changer = await openSession();
  await rowsOf(changer, 'CREATE TABLE dal_pg_shape (id int)');
  await rowsOf(changer, 'INSERT INTO dal_pg_shape VALUES (1)');
  let changes = 0;
  const over = new AbortController();
  const changing = (async () => {
    while (!over.signal.aborted) {
      const text = changes % 2 === 0 ? 'ADD extra int DEFAULT 7' : 'DROP extra';
      await rowsOf(changer, `ALTER TABLE dal_pg_shape ${text}`);
      changes++;
    }
  })();
  try {
    await work();
  } finally {
    over.abort();
    await changing;
    await rowsOf(changer, 'DROP TABLE dal_pg_shape');
  }
  return changes;
}

test('a table that changes all the time never shows in the answers of single statements', async () => {
  await using db = postgres(url, { pool: { max: 4 } });
  const widths = new Set<number>();
  const changes = await whileColumnsChange(async () => {
    const reader = async (): Promise<void> => {
      for (let round = 0; round < 250; round++) {
        const [row] = await db.query(TEXT);
        expect(row).toMatchObject({ id: 1 });
        if ('extra' in row!) expect(row['extra']).toBe(7);
        widths.add(Object.keys(row!).length);
      }
    };
    await Promise.all([reader(), reader(), reader(), reader()]);
  });
  expect(changes).toBeGreaterThan(10);
  expect(widths).toEqual(new Set([1, 2]));
});

test('inside a transaction it is an error of its own kind', async () => {
  const [session, changer] = [await openSession(), await openSession()];
  const statement = { text: 'SELECT * FROM dal_pg_inside', values: [], name: 'inside' };
  await rowsOf(changer, 'CREATE TABLE dal_pg_inside (id int)');
  try {
    await session.query(statement);
    await rowsOf(changer, 'ALTER TABLE dal_pg_inside ADD extra int');
    await rowsOf(session, 'BEGIN');
    const error = await session.query(statement).catch((thrown: unknown) => thrown);
    expect(postgresDriver.classify(error)).toMatchObject({
      kind: 'stalePlan',
      code: '0A000',
      applied: 'no',
      transaction: 'aborted',
    });
    expect(session.status!()).toBe('failed');
    await rowsOf(session, 'ROLLBACK');
    await rowsOf(session, 'BEGIN');
    expect((await session.query(statement)).columns).toHaveLength(2);
    await rowsOf(session, 'COMMIT');
  } finally {
    await rowsOf(changer, 'DROP TABLE dal_pg_inside');
  }
});

test('a transaction that may be repeated gets over it', async () => {
  await using db = postgres(url, { pool: { max: 1 } });
  await using changer = postgres(url);
  await changer.execute('CREATE TABLE dal_pg_repeated (id int)');
  try {
    const text = 'SELECT * FROM dal_pg_repeated';
    for (let round = 0; round < 3; round++) await db.query(text);
    await changer.execute('ALTER TABLE dal_pg_repeated ADD extra int');
    await expect(db.transaction((tx) => tx.query(text))).rejects.toMatchObject({
      kind: 'stalePlan',
    });
    for (let round = 0; round < 3; round++) await db.query(text);
    await changer.execute('ALTER TABLE dal_pg_repeated ADD another int');
    let attempts = 0;
    const repeated = await db.transaction(
      (tx) => {
        attempts++;
        return tx.query(text);
      },
      { retries: 2 },
    );
    expect([repeated, attempts]).toEqual([[], 2]);
  } finally {
    await changer.execute('DROP TABLE dal_pg_repeated');
  }
});
