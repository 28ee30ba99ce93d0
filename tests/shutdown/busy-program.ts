// Started by shutdown.test.ts: transactions of two rows each, until it is told to end.
import { createDatabase, installShutdown, isDalError } from '@dal/factory';

const CALLERS = 6;

async function main(): Promise<void> {
  const [url = '', table = '', stuck = ''] = process.argv.slice(2);
  const db = await createDatabase(url, {
    name: 'shop',
    pool: { max: 4, acquireStacks: 'always' },
  });
  installShutdown({ databases: [db], timeoutMs: 2_000 });
  await db.connect();
  let committed = 0;
  const work = async (caller: number): Promise<void> => {
    for (let turn = 0; ; turn++) {
      const id = `${caller}-${turn}`;
      try {
        await db.transaction(async (tx) => {
          await tx.execute(`INSERT INTO ${table} VALUES (?, 1)`, [id]);
          await new Promise((resolve) => setTimeout(resolve, 5));
          await tx.execute(`INSERT INTO ${table} VALUES (?, 2)`, [id]);
        });
        committed++;
      } catch (error) {
        if (isDalError(error) && error.code === 'DAL_CLOSED') return;
        throw error;
      }
    }
  };
  if (stuck) {
    const connection = await db.acquire();
    await connection.begin();
    await connection.execute(`INSERT INTO ${table} VALUES (?, 1)`, ['stuck']);
    // One that still runs when the time is over, and one that asks for COMMIT behind it.
    void connection.query(stuck, [], { timeoutMs: 60_000 }).catch(() => undefined);
    void connection.commit().catch(() => undefined);
  }
  process.on('exit', () => process.stdout.write(`${JSON.stringify({ committed })}\n`));
  process.send?.('ready');
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => work(caller)));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(70);
});
