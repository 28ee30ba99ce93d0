// A connection that is not given back: who has it, since when, and from which line of the program.
// The hook tells early, the error of those who wait in vain tells it again.
import { AcquireTimeoutError } from '@dal/core';
import { type Connection, createDatabase, type Database } from '@dal/factory';

// Stands for the server of a real program, which keeps it alive until the leak is noticed.
const server = setInterval(() => undefined, 1_000);
const { DATABASE_URL = 'sqlite::memory:' } = process.env;
await using db = await createDatabase(DATABASE_URL, {
  name: 'shop',
  pool: { max: 1, leakThresholdMs: 200 },
});

const leaked = new Promise<void>((resolve) => {
  db.hooks.on('leak', ({ heldMs, lastStatement, tags, stack }) => {
    console.log(`leak: held for ${Math.round(heldMs)} ms, last statement "${lastStatement}"`);
    console.log(`  tags: ${JSON.stringify(tags)}`);
    console.log(`  acquired in ${placeOf(stack)}`);
    resolve();
  });
});
db.hooks.on('unleaked', ({ heldMs }) => console.log(`it is back after ${Math.round(heldMs)} ms`));

const forgotten = await readBasket(db);
await leaked;
clearInterval(server);
console.log(`db.pool.leaks() has ${db.pool.leaks().length}`);

try {
  await db.query('SELECT 1', [], { timeoutMs: '1s' });
} catch (error) {
  if (!(error instanceof AcquireTimeoutError)) throw error;
  console.log(`${error.name}: ${error.message}`);
  console.log(
    `  of ${error.holders.length} who hold one, the first took it in ${placeOf(error.holders[0]?.stack)}`,
  );
}

await forgotten.release();
console.log(`the next statement is served: ${String(await db.queryValue('SELECT 7'))}`);

/** What everybody writes once: it answers before it gives the connection back. */
async function readBasket(shop: Database): Promise<Connection> {
  const connection = await shop.acquire();
  await connection.query('SELECT 1 AS basket', [], { tags: { route: 'basket' } });
  return connection;
}

function placeOf(stack: string | undefined): string {
  return stack?.split('\n')[0]?.trim() ?? 'nowhere';
}
