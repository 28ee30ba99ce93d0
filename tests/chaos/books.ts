import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Told } from './client.ts';
import { ACCOUNTS, type Audit, WORDS } from './ledger.ts';
import { few, mostMs, type Verdict } from './verdict.ts';

export const TIMEOUT_MS = 4_000;
/** What a loaded machine and a settled cancel may add to a deadline. */
const SLACK_MS = 750;

/** What the callers did, and what they were told. */
export class Books {
  readonly told = new Map<string, Told>();
  /** Operations that went on after their deadline, in ms beyond it. */
  readonly late: number[] = [];
  reads = 0;
  readonly #wrongReads: string[] = [];
  readonly #late: string[] = [];
  readonly #strange: string[] = [];
  #acknowledged = 0;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async work(worker: number, end: AbortSignal): Promise<void> {
    for (let turn = 0; !end.aborted; turn++) {
      const op = `w${worker}-${turn}`;
      const started = performance.now();
      try {
        await this.#one(op, turn, worker);
      } catch (error) {
        this.#strange.push(`an error that is none of the layer's: ${String(error)}`);
      }
      const over = performance.now() - started - TIMEOUT_MS;
      if (over > 100) this.late.push(Math.round(over));
      if (over > SLACK_MS) this.#late.push(`${op} ended ${Math.round(over)} ms late`);
      // A caller that fails at once must not do nothing but fail.
      await sleep(1);
    }
  }

  /** How long it takes until the next write is acknowledged; at the most that time. */
  async untilAcknowledged(limitMs: number): Promise<number> {
    const before = this.#acknowledged;
    const began = performance.now();
    while (this.#acknowledged === before && performance.now() < began + limitMs) await sleep(1);
    return performance.now() - began;
  }

  /** Resolves when some more writes were acknowledged; at the latest after that time. */
  async progress(limitMs: number): Promise<void> {
    const wanted = this.#acknowledged + 3;
    const endsAt = performance.now() + limitMs;
    while (this.#acknowledged < wanted && performance.now() < endsAt) await sleep(5);
  }

  counts(): Record<Told, number> {
    const counts = { acknowledged: 0, nothing: 0, unknown: 0 };
    for (const said of this.told.values()) counts[said]++;
    return counts;
  }

  /** What the callers were told, beside what is there. */
  verdicts({ lost, doubled, denied, imbalance, unknownPresent }: Audit): Verdict[] {
    const { acknowledged, unknown, nothing } = this.counts();
    return [
      {
        promise: 'D1 what was acknowledged is there, whole',
        seen: `${acknowledged} acknowledged, ${lost.length} lost, accounts differ by ${imbalance}`,
        broken: [
          ...(lost.length > 0 ? [`acknowledged and lost ${few(lost)}`] : []),
          ...(imbalance === 0 ? [] : [`the accounts differ from the ledger by ${imbalance}`]),
        ],
      },
      {
        promise: 'D2 nothing is done twice',
        seen: `${doubled.length} done twice`,
        broken: doubled.length > 0 ? [`done twice ${few(doubled)}`] : [],
      },
      {
        promise: 'D3 unknown only what may be there, failed only what is not',
        seen: `${unknown} unknown, ${unknownPresent} of these done; ${nothing} failed, ${denied.length} of these done`,
        broken: [
          ...(denied.length > 0 ? [`denied and done ${few(denied)}`] : []),
          ...this.#strange,
        ],
      },
      {
        promise: 'D7 rows are all there and right',
        seen: `${this.reads} reads`,
        broken: this.#wrongReads,
      },
      {
        promise: 'T3 nothing outlives its deadline',
        seen: `${this.late.length} more than 100 ms over, at most ${mostMs(this.late)}`,
        broken: this.#late,
      },
    ];
  }

  async #one(op: string, turn: number, worker: number): Promise<void> {
    if (turn % 4 === 3) {
      this.reads++;
      const whole = await this.#client.read(1 + ((turn * 7) % WORDS), TIMEOUT_MS);
      if (!whole) this.#wrongReads.push(`${op} read other rows than there are`);
      return;
    }
    const account = 1 + ((turn + worker) % ACCOUNTS);
    const told =
      turn % 4 === 2
        ? await this.#client.note(op, TIMEOUT_MS)
        : await this.#client.transfer(op, account, TIMEOUT_MS);
    this.told.set(op, told);
    if (told === 'acknowledged') this.#acknowledged++;
  }
}
