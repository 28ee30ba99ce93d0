import { expect, inject, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { cutEverywhere } from './cuts.ts';
import { printReport } from './print-report.ts';
import { violationsOf } from './verdict.ts';

const servers = inject('engines').flatMap(({ name, url }) =>
  name === 'sqlite' ? [] : [{ name, url }],
);

test.each(servers)(
  '$name: the books are right after a campaign of faults, with a crash in it',
  { timeout: 120_000 },
  async ({ name: engine }) => {
    const report = await runCampaign({ engine, seconds: 8, seed: 20_261_121, crashes: 1 });
    printReport(report, (line) => console.log(line));
    expect(violationsOf(report.verdicts)).toEqual([]);
    expect(report.told.acknowledged).toBeGreaterThan(10);
    expect([...report.faults.values()].reduce((sum, count) => sum + count)).toBeGreaterThan(5);
  },
);

test.each(servers)(
  '$name: the same campaign goes red with the raw driver and blind retries',
  // On a machine that does little in that time a second look may be needed to see it double something.
  { timeout: 60_000, retry: 2 },
  async ({ name: engine }) => {
    const report = await runCampaign({ engine, seconds: 4, seed: 7, crashes: 0, raw: true });
    printReport(report, (line) => console.log(line));
    expect(violationsOf(report.verdicts).join('\n')).toMatch(/D2 done twice|D1|D3/);
  },
);

test.each(servers)(
  '$name: cut anywhere, the rows are what the caller was told',
  { timeout: 180_000 },
  async ({ url }) => {
    for (const [how, wanted] of [
      // Fifteen hundred with all engines; `pnpm chaos --cuts 2000` makes more on one.
      ['reset', 420],
      ['end', 60],
      ['stall', 20],
    ] as const) {
      const { cuts, told, violations } = await cutEverywhere(url, how, wanted);
      console.log(`${cuts} cuts, ${how}`, told);
      expect(violations, how).toEqual([]);
      expect(cuts).toBeGreaterThanOrEqual(wanted);
    }
  },
);
