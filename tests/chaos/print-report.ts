import type { CampaignReport } from './campaign.ts';
import { type Verdict, verdictLine, violationsOf } from './verdict.ts';

/** The table of counts, and each promise with what came of it. */
export function printReport(report: CampaignReport, print: (line: string) => void): void {
  const { options, faults, told, audit, reads, sessions, recoveries, verdicts } = report;
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
    ['most sessions on the server', sessions.mostOnServer],
    ...recoveredAfter(recoveries),
  ];
  print(`${options.engine}, ${options.seconds} s`);
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) print(`  ${name.padEnd(width)}  ${value}`);
  printVerdicts(verdicts, print);
}

/** A line for each promise, and below it what broke it. */
export function printVerdicts(verdicts: readonly Verdict[], print: (line: string) => void): void {
  for (const verdict of verdicts) {
    print(`  ${verdictLine(verdict)}`);
    for (const words of verdict.broken.slice(0, 10)) print(`    ${words}`);
  }
  const violations = violationsOf(verdicts).length;
  print(violations === 0 ? '  no violation' : `  ${violations} violations`);
}

/** The worst of each kind. */
function recoveredAfter(recoveries: CampaignReport['recoveries']): [string, string][] {
  const kinds = [...new Set(recoveries.map(({ fault }) => fault))];
  return kinds.map((kind) => {
    const times = recoveries.flatMap(({ fault, ms }) => (fault === kind ? [ms] : []));
    return [`served again after ${kind}`, `${Math.round(Math.max(...times))} ms at the latest`];
  });
}
