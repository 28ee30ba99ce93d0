import type { Database } from '@dal/factory';

/**
 * Two transactions read the same row and write what follows from it. One of them has to begin anew, or
 * the other one's change would be lost. On SQLite there is one writer at a time, so they queue.
 */
export async function collide(db: Database): Promise<void> {
  const off = db.hooks.on('retry', ({ error, attempt }) => {
    console.log(`  attempt ${attempt} failed: ${error.kind}; it runs again`);
  });
  const bothHaveRead = meeting(2);
  let runs = 0;

  const takeOne = (): Promise<void> =>
    db.transaction(
      async (tx) => {
        runs++;
        const amount = await tx.queryValue<number>('SELECT amount FROM retries_stock WHERE id = 1');
        await bothHaveRead();
        await tx.execute('UPDATE retries_stock SET amount = ? WHERE id = 1', [Number(amount) - 1]);
      },
      { isolation: 'serializable', retries: 5, timeoutMs: '20s' },
    );

  console.log('two transactions take one of 10 each');
  await Promise.all([takeOne(), takeOne()]);
  off();
  const left = await db.queryValue('SELECT amount FROM retries_stock WHERE id = 1');
  console.log(`  both are committed after ${runs} runs; ${String(left)} are left`);
}

/** Comes back when so many have asked, or after a second. */
function meeting(expected: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let here = 0;
  return () => {
    if (++here === expected) resolve();
    else setTimeout(resolve, 1_000);
    return promise;
  };
}
