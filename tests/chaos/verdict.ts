/** What came of one promise. */
export interface Verdict {
  /** Its number and its words: `'P3 sessions never above max'`. */
  readonly promise: string;
  /** What was looked at and how it was, whether it was kept or not. */
  readonly seen: string;
  /** Each time that it was broken, in words; empty when it was kept. */
  readonly broken: readonly string[];
}

/** @example 'P3 sessions never above max: ok (most seen 6 of 6)' */
export function verdictLine({ promise, seen, broken }: Verdict): string {
  return `${promise}: ${broken.length === 0 ? 'ok' : 'BROKEN'} (${seen})`;
}

/** Each with the promise's number before it. */
export function violationsOf(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap(({ promise, broken }) =>
    broken.map((words) => `${promise.split(' ', 1)[0]} ${words}`),
  );
}

/** The worst of some lengths of time, for a verdict's words. */
export function mostMs(times: readonly number[]): string {
  return times.length === 0 ? 'none' : `${Math.round(Math.max(...times))} ms`;
}

export function few(all: readonly string[]): string {
  return `${all.length}: ${all.slice(0, 5).join(', ')}`;
}
