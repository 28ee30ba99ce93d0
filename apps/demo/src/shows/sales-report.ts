import { msSince, type Show, type ShowResult, type Stage } from './show.ts';

const BATCH_SIZE = 500;

/** Totals over all orders, read in batches while new ones are placed. */
export const salesReport: Show = {
  title: 'A report is streamed',

  async run({ db, shop, workload, signal }: Stage): Promise<ShowResult> {
    const atLeast = workload.orders.count;
    const startedAt = performance.now();
    const spent = new Map<number, number>();
    let batches = 0;
    let orders = 0;
    let totalCents = 0;
    let largestBatch = 0;
    for await (const batch of db.stream<{ from_account: number; cents: number }>(
      `SELECT from_account, cents FROM ${shop.orders} ORDER BY id`,
      [],
      { batchSize: BATCH_SIZE, signal },
    )) {
      batches += 1;
      orders += batch.length;
      largestBatch = Math.max(largestBatch, batch.length);
      for (const { from_account: account, cents } of batch) {
        totalCents += cents;
        spent.set(account, (spent.get(account) ?? 0) + cents);
      }
    }
    const took = msSince(startedAt);
    const [best] = [...spent].toSorted(([, a], [, b]) => b - a);
    return {
      passed: orders >= atLeast && largestBatch <= BATCH_SIZE,
      lines: [
        `${orders} orders in ${batches} batches of at most ${BATCH_SIZE} rows, ${took}; ${workload.orders.count - atLeast} more were placed meanwhile.`,
        best === undefined
          ? 'Nothing was sold yet.'
          : `Turnover ${money(totalCents)}; account ${best[0]} spent the most, ${money(best[1])}.`,
      ],
    };
  },
};

function money(cents: number): string {
  return (cents / 100).toFixed(2);
}
