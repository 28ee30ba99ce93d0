/** Calls a second, one number for each round. */
export type Rounds = readonly number[];

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Measures every contender in every round, so that whatever disturbs the machine disturbs all of
 * them. Each round begins with another contender: none always follows the same one.
 */
export async function interleave<Contender>(
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender) => Promise<number>,
): Promise<Map<Contender, Rounds>> {
  const measured = new Map(contenders.map((contender) => [contender, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length]!;
      measured.get(contender)!.push(await measure(contender));
    }
  }
  return measured;
}

/** Round by round, since only what ran side by side can be compared. */
export function ratios(ours: Rounds, theirs: Rounds): number[] {
  return ours.map((calls, round) => calls / theirs[round]!);
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), least: sorted[0]!, most: sorted.at(-1)! };
}

/** @param sorted upwards, and not empty */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

export function showRatio({ median, least, most }: Spread): string {
  return `${median.toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`;
}
