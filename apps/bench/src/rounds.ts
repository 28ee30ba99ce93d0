export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/**
 * Measures every contender in every round, so that whatever disturbs the machine disturbs all of
 * them, in an order that is drawn for each round: none always follows the same one.
 *
 * @param budgetMs no new round begins after it, but three there are always
 */
export async function interleave<Contender, Measure>(
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender) => Promise<Measure>,
  budgetMs: number = Infinity,
): Promise<ReadonlyMap<Contender, readonly Measure[]>> {
  const measured = new Map(contenders.map((contender) => [contender, [] as Measure[]]));
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= 3 && performance.now() - began > budgetMs) break;
    for (const contender of shuffled(contenders)) {
      measured.get(contender)!.push(await measure(contender));
    }
  }
  return measured;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, drawn: Math.random() }))
    .toSorted((a, b) => a.drawn - b.drawn)
    .map(({ item }) => item);
}

/** Round by round, since only what ran side by side can be compared. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / theirs[round]!);
}

/** Not the extremes: on a machine that others use too they only tell of the others. */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    low: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    high: quantile(sorted, 0.75),
  };
}

/** @param sorted upwards, and not empty */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

export function showRatio({ low, median, high }: Quartiles): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`;
}
