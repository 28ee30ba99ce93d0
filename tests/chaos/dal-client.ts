import { type Database, isDalError } from '@dal/core';
import { createDatabase } from '@dal/factory';
import {
  BALANCE_UPDATE,
  type Client,
  FIXED_ROWS,
  isWhole,
  LEDGER_INSERT,
  type Told,
} from './client.ts';

/** Who is let in and told nothing waits for that long. */
export const CONNECT_MS = 2_000;

/** DAL as an application uses it: its own retries, and no others around it. */
export class DalClient implements Client {
  readonly db: Database;

  private constructor(db: Database) {
    this.db = db;
  }

  static async open(url: string, max: number): Promise<DalClient> {
    const commitTable = url.startsWith('postgres:') ? {} : { commitTable: 'chaos_commits' };
    const options = { pool: { max }, connectTimeoutMs: CONNECT_MS, ...commitTable };
    return new DalClient(await createDatabase(url, options));
  }

  transfer(op: string, account: number, timeoutMs: number): Promise<Told> {
    return told(
      'transaction',
      this.db.transaction(
        async (tx) => {
          await tx.execute(LEDGER_INSERT, [op, 'transfer']);
          await tx.execute(BALANCE_UPDATE, [account]);
        },
        { retries: 5, timeoutMs },
      ),
    );
  }

  note(op: string, timeoutMs: number): Promise<Told> {
    return told('statement', this.db.execute(LEDGER_INSERT, [op, 'note'], { timeoutMs }));
  }

  async read(count: number, timeoutMs: number): Promise<boolean> {
    try {
      return isWhole(await this.db.query(FIXED_ROWS, [count], { timeoutMs }), count);
    } catch (error) {
      return isDalError(error);
    }
  }

  async close(timeoutMs: number): Promise<void> {
    await this.db.close({ timeoutMs });
  }
}

/** What callers go by. A failure that isn't the layer's own is one too many, so it is thrown on. */
export async function told(
  what: 'statement' | 'transaction',
  work: Promise<unknown>,
): Promise<Told> {
  try {
    await work;
    return 'acknowledged';
  } catch (error) {
    if (!isDalError(error)) throw error;
    const isUnknown =
      what === 'transaction'
        ? error.name === 'CommitOutcomeUnknownError'
        : error.fault?.applied === 'unknown';
    return isUnknown ? 'unknown' : 'nothing';
  }
}
