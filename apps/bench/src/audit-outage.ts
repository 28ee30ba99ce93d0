import type { RequestReport } from './outage-child.ts';
import type { OutageProcess } from './outage-process.ts';

/** What one contender made of one fault. */
export interface OutageResult {
  readonly contender: string;
  /** What its process ended with, when it did so by itself. */
  readonly died?: string;
  readonly done: number;
  /** Requests that ended in an error. */
  readonly failed: number;
  /** Of these: the error said itself that the outcome is not known. */
  readonly unknown: number;
  /** Requests that had not ended long after their time. */
  readonly hanging: number;
  /** Rows that are there and must not be, or the other way round; and wrong answers. */
  readonly wrong: number;
  /** Told as failed, without a doubt, and done all the same: to do it again would double it. */
  readonly failedYetDone: number;
  /** From the server's return to the end of the first request that was begun after it; absent: never. */
  readonly recoveryMs?: number;
  /** Connections tried, a second, from the fault's beginning to the server's return. */
  readonly attemptsPerSecond: number;
}

/** What was heard of one contender. */
type HeardOf = Pick<OutageProcess, 'contender' | 'died' | 'requests' | 'attempts' | 'hanging'>;

interface LedgerRow {
  readonly op: string;
  readonly part: number;
}

interface Span {
  readonly beganAt: number;
  readonly endedAt: number;
}

/** Compares what callers were told with what the database holds. */
export function auditOutage(
  { contender, died, requests, attempts, hanging }: HeardOf,
  rows: readonly LedgerRow[],
  { beganAt, endedAt }: Span,
): OutageResult {
  const found = new Map<string, number>();
  for (const { op, part } of rows) {
    const key = `${op} ${part}`;
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  const writes = requests.filter(({ kind }) => kind !== 'read');
  const there = ({ op, kind }: RequestReport): 'all' | 'nothing' | 'something else' => {
    const parts = (kind === 'transfer' ? [1, 2] : [1]).map(
      (part) => found.get(`${op} ${part}`) ?? 0,
    );
    if (parts.every((times) => times === 1)) return 'all';
    return parts.every((times) => times === 0) ? 'nothing' : 'something else';
  };
  const isWrong = (request: RequestReport): boolean =>
    there(request) === 'something else' || (request.told === 'done' && there(request) !== 'all');
  const first = requests
    .filter(({ told, beganAt: began }) => told === 'done' && began >= endedAt)
    .toSorted((a, b) => a.endedAt - b.endedAt)[0];
  const told = (what: RequestReport['told']): number =>
    requests.filter((request) => request.told === what).length;
  const tried = attempts.filter((at) => at >= beganAt && at < endedAt).length;
  return {
    contender,
    ...(died !== undefined && { died }),
    done: told('done'),
    failed: told('failed') + told('unknown'),
    unknown: told('unknown'),
    hanging,
    wrong: told('wrong') + writes.filter(isWrong).length,
    failedYetDone: writes.filter((one) => one.told === 'failed' && there(one) === 'all').length,
    ...(first && { recoveryMs: first.endedAt - endedAt }),
    attemptsPerSecond: (tried * 1_000) / Math.max(1, endedAt - beganAt),
  };
}
