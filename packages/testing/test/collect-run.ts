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

/**
 * The chapters in which something fails, and the first reason of each; of those that `wanted` names.
 * Without a card, which is only made of a whole run.
 */
export async function failingChapters(
  options: Omit<ConformanceOptions, 'test' | 'describe' | 'onCard'>,
  wanted: (chapter: string) => boolean,
): Promise<Map<string, string>> {
  const tests: { title: string; run: () => Promise<void> }[] = [];
  runConformance({ ...options, test: (title, run) => tests.push({ title, run }) });
  const failing = new Map<string, string>();
  for (const { title, run } of tests) {
    const [chapter = ''] = title.split(':', 1);
    // One reason a chapter is enough: what a broken driver fails it often fails by waiting.
    if (chapter === title || !wanted(chapter) || failing.has(chapter)) continue;
    await run().catch((error: unknown) => {
      failing.set(chapter, `${title}: ${String(error)}`);
    });
  }
  return failing;
}

/** The chapters in which something failed. */
export function failedChapters({ chapters }: Card): string[] {
  return Object.entries(chapters)
    .filter(([, { failed }]) => failed > 0)
    .map(([name]) => name);
}
