import { setTimeout as sleep } from 'node:timers/promises';
import {
  breakSomething,
  crash,
  type FaultName,
  type Outage,
  outage,
  silence,
  type Victims,
} from './break-things.ts';
import { type Books, TIMEOUT_MS } from './books.ts';

export interface AttackPlan {
  readonly seconds: number;
  /** How often the server is killed and started again. Default: once in 15 seconds. */
  readonly crashes?: number;
}

export interface Attacked {
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly outage: Outage | undefined;
  /** By fault: how long after the server's return the first write was acknowledged, in ms. */
  readonly recoveries: readonly Recovery[];
}

export interface Recovery {
  readonly fault: FaultName;
  readonly ms: number;
}

/** Between two faults something succeeds, or this time passes: a slow machine is hurt no more often. */
const PROGRESS_MS = 300;
const OUTAGE_MS = 2_000;

/** One fault after the other, some crashes, and longer outages in a campaign that has the time. */
export async function attack(
  victims: Victims,
  books: Books,
  { seconds, crashes = Math.floor(seconds / 15) }: AttackPlan,
): Promise<Attacked> {
  const endsAt = performance.now() + seconds * 1_000;
  const { random } = victims;
  const faults = new Map<FaultName, number>();
  const recoveries: Recovery[] = [];
  const recovered = async (fault: FaultName): Promise<void> => {
    recoveries.push({ fault, ms: await books.untilAcknowledged(TIMEOUT_MS) });
  };
  let nextCrash = crashes > 0 ? endsAt - seconds * 500 : Infinity;
  let crashesLeft = crashes;
  let outageAt = seconds >= 8 ? endsAt - seconds * 800 : Infinity;
  let silenceAt = seconds >= 30 ? endsAt - seconds * 300 : Infinity;
  let said: Outage | undefined;
  while (performance.now() < endsAt) {
    await sleep(random.between(20, 40));
    await books.progress(PROGRESS_MS);
    const now = performance.now();
    if (now >= outageAt) {
      outageAt = Infinity;
      said = await outage(victims, faults, OUTAGE_MS);
      await recovered('outage');
    } else if (now >= silenceAt) {
      silenceAt = Infinity;
      await silence(victims, faults, OUTAGE_MS);
      await recovered('silence');
    } else if (now >= nextCrash && crashesLeft > 0) {
      crashesLeft--;
      nextCrash = now + 10_000;
      await crash(victims, faults);
      await recovered('crash');
    } else {
      const fault = await breakSomething(victims, faults).catch(() => undefined);
      if (fault === 'refused') await recovered(fault);
    }
  }
  return { faults, outage: said, recoveries };
}
