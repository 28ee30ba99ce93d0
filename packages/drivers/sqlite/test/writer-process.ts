// One of several programs that write to the same file; says how often it was refused.
//
//   node writer-process.ts <file> <transactions>
import { sqlite } from '../src/index.ts';

const [path = '', count = '0'] = process.argv.slice(2);
const db = sqlite({ path, pool: { max: 3 } });
const errors: string[] = [];
await db.connect();
process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));
await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    try {
      await db.transaction(async (tx) => {
        const n = await tx.queryValue<number>('SELECT n FROM counter');
        await tx.execute('UPDATE counter SET n = ?', [(n ?? 0) + 1]);
      });
      await db.execute('INSERT INTO log DEFAULT VALUES');
    } catch (error) {
      errors.push((error as Error).message);
    }
  }),
);
await db.close();
process.send?.(errors);
process.disconnect();
