import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A file that `pnpm bench ... --save` wrote. */
interface SavedFigures {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  readonly shown: readonly string[];
}

/** What each command measures, in the order of the page. */
const COMMANDS: Readonly<Record<string, string>> = {
  'hot-path': 'One row by its key, one insert, a thousand rows',
  bulk: 'Loading rows',
  stream: 'Streaming rows',
  checkout: 'Pools by themselves',
  outage: 'Pools under the same faults',
  capacity: 'Requests that processes can serve',
  observe: 'The cost of being observed',
  entity: 'Entities beside four ORMs',
};

/**
 * The page of the benchmarks, made of the committed results.
 *
 * @throws Error when a file is not what `--save` writes, or nothing measured it
 */
export function benchPage(root: string): string {
  const folder = join(root, 'apps/bench/results');
  const results = new Map<string, SavedFigures[]>();
  for (const file of globSync('*.json', { cwd: folder }).toSorted()) {
    const saved = JSON.parse(readFileSync(join(folder, file), 'utf8')) as SavedFigures;
    const command = saved.command?.split(' ')[1] ?? '';
    if (!Object.hasOwn(COMMANDS, command) || !Array.isArray(saved.shown)) {
      throw new Error(`${basename(file)} was not written by "pnpm bench ... --save"`);
    }
    results.set(command, [...(results.get(command) ?? []), saved]);
  }
  const all = Object.entries(COMMANDS);
  const measured = all.filter(([command]) => results.has(command));
  const missing = all.filter(([command]) => !results.has(command));
  return `---
outline: 2
---

# Benchmarks

Figures belong to a machine and a day. Those of this page were made by the commands above them, and are shown as \`--save\` wrote them; [the page of the benchmarks](packages/bench.md) says how it is measured, who is measured, and what each column means. Shown are medians, with the quartiles in brackets. Run them on your machine: ratios can be compared between machines, calls per second can't.

${measured.map(([command, title]) => section(title, results.get(command) ?? [])).join('\n')}${missing.length === 0 ? '' : notKept(missing)}`;
}

function section(title: string, results: readonly SavedFigures[]): string {
  return `## ${title}

${results.map(resultOf).join('\n')}`;
}

function notKept(missing: readonly [command: string, title: string][]): string {
  return `## Measure it yourself

No figures of these are kept. Each line makes them on your machine:

| What is measured | Command |
| --- | --- |
${missing.map(([command, title]) => `| ${title} | \`pnpm bench ${command}\` |`).join('\n')}
`;
}

function resultOf({ date, command, machine, shown }: SavedFigures): string {
  const [, ...tables] = shown;
  return `\`pnpm ${command}\`, ${date.slice(0, 10)}. ${machine}.

${tables.map((text) => `\`\`\`text\n${text}\n\`\`\`\n`).join('\n')}`;
}
