import type { OutageResult } from './audit-outage.ts';
import type { OutageAim } from './outage-aims.ts';
import type { Outage } from './outage.ts';
import { table } from './table.ts';

/** All faults of one engine. */
export function showOutage(outages: readonly Outage[]): string {
  const head = [
    'fault',
    'who',
    'process',
    'done',
    'failed',
    'hanging',
    'wrong',
    'failed, yet done',
    'recovery ms',
    'attempts/s',
  ];
  const lines = outages.flatMap(({ fault, lastedMs, results }) =>
    results.map((result, at) => [
      at === 0 ? `${fault}, ${(lastedMs / 1_000).toFixed(1)} s` : '',
      ...cells(result),
    ]),
  );
  const [first] = outages;
  const deaths = outages.flatMap(({ fault, results }) =>
    results.flatMap(({ contender, died }) =>
      died === undefined ? [] : [`${contender} died (${fault}): ${died}`],
    ),
  );
  return [`${first?.engine} ${first?.serverVersion}`, table(head, lines), ...deaths].join('\n');
}

/** Like the aims below the other tables. */
export function showOutageAims(aims: readonly OutageAim[]): string {
  return aims
    .map(({ aim, outages, missed }) =>
      [
        `aim: ${aim}: ${missed.length === 0 ? 'met' : 'missed'} in ${missed.length || outages} of ${outages}`,
        ...missed.map((words) => `  ${words}`),
      ].join('\n'),
    )
    .join('\n');
}

function cells(result: OutageResult): string[] {
  const { contender, died, done, failed, unknown, hanging, wrong, failedYetDone } = result;
  const { recoveryMs, attemptsPerSecond } = result;
  return [
    contender,
    died === undefined ? 'alive' : 'DIED',
    String(done),
    unknown > 0 ? `${failed} (${unknown} unknown)` : String(failed),
    String(hanging),
    String(wrong),
    String(failedYetDone),
    recoveryMs === undefined ? 'never' : String(Math.round(recoveryMs)),
    attemptsPerSecond.toFixed(attemptsPerSecond < 10 ? 1 : 0),
  ];
}
