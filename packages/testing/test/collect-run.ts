import { runConformance, type Card, type ConformanceOptions } from '@dal/testing/conformance';

/** Runs the kit without a test runner and returns its card. */
export async function collectRun(
  options: Omit<ConformanceOptions, 'test' | 'describe' | 'onCard'>,
): Promise<{ card: Card; titles: string[] }> {
  const tests: { title: string; run: () => Promise<void> }[] = [];
  let card: Card | undefined;
  runConformance({
    ...options,
    test: (title, run) => tests.push({ title, run }),
    onCard: (given) => {
      card = given;
    },
  });
  // A failing test is what these runs are about; the card tells them apart.
  for (const { run } of tests) await run().catch(() => undefined);
  if (card === undefined) throw new Error('the kit gave no card');
  return { card, titles: tests.map(({ title }) => title) };
}

/** The chapters in which something failed. */
export function failedChapters({ chapters }: Card): string[] {
  return Object.entries(chapters)
    .filter(([, { failed }]) => failed > 0)
    .map(([name]) => name);
}
