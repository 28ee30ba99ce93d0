import type { CampaignReport } from './campaign.ts';

/** The table of counts, and every violation with the seed that brought it up. */
export function printReport(report: CampaignReport, print: (line: string) => void): void {
  const { options, faults, told, audit, reads, late, sessions, outage, recoveries, violations } =
    report;
  const rows: [string, string | number][] = [
    ['client', options.raw ? 'the raw driver, retrying blindly' : 'DAL'],
    ['seed', options.seed],
    ...[...faults]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]): [string, number] => [`fault: ${name}`, count]),
    ['faults', [...faults.values()].reduce((sum, count) => sum + count, 0)],
    ['writes', told.acknowledged + told.nothing + told.unknown],
    ['  acknowledged', told.acknowledged],
    ['  failed, nothing done', told.nothing],
    ['  outcome unknown', told.unknown],
    ['    of these done', audit.unknownPresent],
    ['reads', reads],
    ['rows in the ledger', audit.rows],
    ['acknowledged and lost', audit.lost.length],
    ['done twice', audit.doubled.length],
    ['denied and done', audit.denied.length],
    ['accounts against ledger', audit.imbalance],
    ['over the deadline by > 100 ms', late.length],
    ['looks at the server', sessions.looks],
    ['most sessions there', sessions.mostOnServer],
    ['most with a line to the client', sessions.mostLive],
    ['most lines at the proxy', sessions.mostAtProxy],
    ...(outage
      ? [['attempts a second in the outage', rate(outage)] satisfies [string, string]]
      : []),
    ...recoveredAfter(recoveries),
  ];
  print(`${options.engine}, ${options.seconds} s`);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) print(`  ${name.padEnd(width)}  ${value}`);
  for (const violation of violations.slice(0, 20)) print(`  VIOLATION ${violation}`);
  print(violations.length === 0 ? '  no violation' : `  ${violations.length} violations`);
}

function rate({ attempts, lastedMs }: NonNullable<CampaignReport['outage']>): string {
  return ((attempts * 1_000) / lastedMs).toFixed(1);
}

/** The worst of each kind. */
function recoveredAfter(recoveries: CampaignReport['recoveries']): [string, string][] {
  const kinds = [...new Set(recoveries.map(({ fault }) => fault))];
  return kinds.map((kind) => {
    const times = recoveries.flatMap(({ fault, ms }) => (fault === kind ? [ms] : []));
    return [`served again after ${kind}`, `${Math.round(Math.max(...times))} ms at the latest`];
  });
}
