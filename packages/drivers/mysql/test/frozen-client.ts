// A client of its own process, which the test stops in the middle of a statement: after that only the
// server is left to end it.
import { mysqlDriver } from '../src/mysql-driver.ts';

const HEAVY =
  'SELECT COUNT(*) FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b, information_schema.COLLATIONS c, information_schema.COLLATIONS d WHERE a.ID + b.ID + c.ID + d.ID <> 5';

async function main(url: string, limitMs: number): Promise<void> {
  const session = await mysqlDriver.connect(mysqlDriver.configure!({ url }), () => undefined);
  if (limitMs > 0) await session.limit!(limitMs);
  process.send!({ id: session.id });
  try {
    await session.query({ text: HEAVY, values: [] });
    process.send!({ fault: 'none' });
  } catch (error) {
    process.send!({ fault: mysqlDriver.classify(error) });
  }
  await session.close();
  process.disconnect();
}

void main(process.argv[2] as string, Number(process.argv[3]));
