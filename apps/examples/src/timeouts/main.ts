// A statement that would take days ends when its time is over, and when nobody wants its answer any
// more: here and on the server. The pool has one connection, which serves the next statement.
import { createDatabase, isDalError } from '@dal/factory';
import { isAtWork, openObserver } from './observer.ts';

const { DATABASE_URL = 'sqlite:timeouts.db' } = process.env;
await using db = await createDatabase(DATABASE_URL, { pool: { max: 1 } });
const { integer } = db.dialect.types;
await db.execute('DROP TABLE IF EXISTS timeouts_counted');
await db.execute(`CREATE TABLE timeouts_counted (n ${integer})`);
await using observer = await openObserver(DATABASE_URL);

const digits = Array.from({ length: 10 }, (_, n) => `SELECT ${n} AS n`).join(' UNION ALL ');
const twelveTimes = Array.from('abcdefghijkl', (name) => `digits ${name}`).join(', ');
const endless = `INSERT INTO timeouts_counted SELECT COUNT(*) FROM (
  WITH digits AS (${digits}) SELECT a.n FROM ${twelveTimes}) AS days`;
// A comment behind the text, by which it is found among the server's statements.
const tags = { example: 'timeouts' };

await tell('timeoutMs: 1500', () => db.execute(endless, [], { timeoutMs: 1_500, tags }));

const caller = new AbortController();
const { signal } = caller;
await tell(
  'an AbortSignal',
  () => db.execute(endless, [], { signal, tags }),
  () => caller.abort(),
);

const { size, lent } = db.pool.stats();
console.log(`the pool: ${size} open, ${lent} lent`);
await db.execute('DROP TABLE timeouts_counted');

/** Runs what must not come to its end, and asks in the middle of it and afterwards who is at work. */
async function tell(
  what: string,
  run: () => Promise<unknown>,
  stop: () => void = () => undefined,
): Promise<void> {
  const startedAt = performance.now();
  const ended = run().then(
    () => 'it came to its end',
    (error: unknown) => (isDalError(error) ? `${error.kind} (${error.code})` : String(error)),
  );
  console.log(`${what}: does the server work on it? ${await ask(true)}`);
  stop();
  console.log(`  ${await ended} after ${Math.round(performance.now() - startedAt)} ms`);
  console.log(`  does the server still work on it? ${await ask(false)}`);
  const rows = await db.queryValue('SELECT COUNT(*) FROM timeouts_counted');
  console.log(`  the next statement is served: ${String(rows)} rows`);
}

async function ask(expected: boolean): Promise<string> {
  return (await isAtWork(observer, expected)) ? 'yes' : 'no';
}
