import type { Outage } from './outage.ts';
import { OUTAGE_POOL } from './outage-clients.ts';
import type { OutageFaultName } from './outage-faults.ts';

/** What DAL wants to be in every outage, and where it wasn't. */
export interface OutageAim {
  readonly aim: string;
  readonly outages: number;
  readonly missed: readonly string[];
}

const MOST_RECOVERY_MS = 1_000;
/** A pool knocks ten times a second at the most, at each server that it knows. */
const KNOCKS_A_SECOND = 10;
/** The server is there all the time, and what was killed is replaced as often as it is killed. */
const SERVER_STAYS: readonly OutageFaultName[] = [
  'killed idle',
  'killed busy',
  'killed in transaction',
  'password rotated',
  'pool leaked',
];

export function judgeOutages(outages: readonly Outage[]): OutageAim[] {
  const judge = (
    aim: string,
    of: readonly Outage[],
    miss: (result: Outage['results'][number], outage: Outage) => string | undefined,
  ): OutageAim => ({
    aim,
    outages: of.length,
    missed: of.flatMap((outage) => {
      const ours = outage.results.find(({ contender }) => contender === 'DAL');
      const said = ours ? miss(ours, outage) : 'not measured';
      return said === undefined ? [] : [`${outage.engine}, ${outage.fault}: ${said}`];
    }),
  });
  return [
    judge('the process lives, no request hangs', outages, ({ died, hanging }) =>
      died === undefined && hanging === 0 ? undefined : (died ?? `${hanging} hang`),
    ),
    judge('nothing wrong, nothing failed and done', outages, ({ wrong, failedYetDone }) =>
      wrong + failedYetDone === 0 ? undefined : `${wrong} wrong, ${failedYetDone} failed, yet done`,
    ),
    judge(`recovery in less than ${MOST_RECOVERY_MS} ms`, outages, ({ recoveryMs }) => {
      if (recoveryMs === undefined) return 'never';
      return recoveryMs < MOST_RECOVERY_MS ? undefined : `${Math.round(recoveryMs)} ms`;
    }),
    judge(
      `attempts: one for each connection, and ${KNOCKS_A_SECOND} a second and server`,
      outages.filter(({ fault }) => !SERVER_STAYS.includes(fault)),
      ({ attemptsPerSecond }, { fault, lastedMs }) => {
        const servers = fault === 'standby promoted' ? 2 : 1;
        const seconds = lastedMs / 1_000;
        const most = OUTAGE_POOL + KNOCKS_A_SECOND * servers * seconds;
        const attempts = Math.round(attemptsPerSecond * seconds);
        return attempts <= most ? undefined : `${attempts} in ${seconds.toFixed(1)} s`;
      },
    ),
  ];
}
