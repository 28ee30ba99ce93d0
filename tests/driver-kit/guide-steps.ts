import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/** What a reader of the guide does, in its order. */
export type GuideStep =
  | { readonly does: 'run'; readonly command: string }
  | { readonly does: 'write'; readonly file: string; readonly text: string };

/**
 * The steps of a guide: the lines of its ```sh step fences, and the files that it shows with `<<<`,
 * which go to the same place in the reader's package.
 */
export function guideSteps(page: string, example: string): GuideStep[] {
  const steps: GuideStep[] = [];
  let inStep = false;
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    if (line.startsWith('```')) inStep = line === '```sh step';
    else if (inStep && line.trim() !== '') steps.push({ does: 'run', command: line.trim() });
    else if (line.startsWith('<<< ')) {
      const path = resolve(dirname(page), line.slice(4).trim());
      const file = relative(example, path);
      steps.push({ does: 'write', file, text: readFileSync(path, 'utf8') });
    }
  }
  return steps;
}
