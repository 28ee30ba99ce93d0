import { createDatabase, isDalError } from '@dal/factory';
import { startFaultProxy } from '@dal/testing/faults';

/** Between this program and the server is a proxy that loses the answer to one statement. */
export async function dropLines(url: string): Promise<void> {
  const { hostname: host, port } = new URL(url);
  await using proxy = await startFaultProxy({ host, port: Number(port) });
  await using db = await createDatabase(proxy.through(url), { pool: { max: 1 } });
  db.hooks.on('retry', ({ error, attempt }) => {
    proxy.set('pass');
    console.log(`  attempt ${attempt} failed: ${error.kind}; it runs again`);
  });

  console.log('the line drops in front of the answer to a read');
  const read = 'SELECT amount FROM retries_stock WHERE id = 1';
  await db.query(read);
  proxy.set({ cut: 'down', afterBytes: 0 });
  const left = await db.queryValue(read, [], { idempotent: true });
  console.log(`  the caller has its answer: ${String(left)}`);

  console.log('the line drops in front of the answer to a write');
  const write = 'UPDATE retries_stock SET amount = amount - 1 WHERE id = ?';
  // Twice before, so that what is lost is the answer to the change, not one to its preparation.
  for (const id of [-1, -2]) await db.execute(write, [id]);
  proxy.set({ cut: 'down', afterBytes: 0 });
  try {
    await db.execute(write, [1]);
  } catch (error) {
    if (!isDalError(error)) throw error;
    console.log(`  ${error.kind}, applied: ${String(error.fault?.applied)}; it does not run again`);
  }
  proxy.set('pass');
  // Only now, and only by somebody who knows what the change means, it can be looked up.
  console.log(`  one look tells: ${String(await db.queryValue(read))} are left`);
}
