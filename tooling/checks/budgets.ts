import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packedPackages } from '../../tests/setup/packed-packages.ts';
import { importRatio, weigh, type Weight } from './package-weight.ts';
import { publishedPackages } from './published-packages.ts';

/** The most that each package may weigh, by its name. */
export type Budgets = Readonly<Record<string, Weight>>;

/** Counts are exact, so they get little room; time is not, so it gets much. */
const ROOM: Weight = { unpackedBytes: 1.15, bundledBytes: 1.1, modules: 1.1, importRatio: 2 };
/** To what a new budget is rounded up. */
const STEP: Weight = { unpackedBytes: 10_000, bundledBytes: 1_000, modules: 1, importRatio: 0.5 };
const SAID: Readonly<Record<keyof Weight, string>> = {
  unpackedBytes: 'bytes when unpacked',
  bundledBytes: 'bytes of code when bundled and minified',
  modules: 'modules loaded by an import',
  importRatio: 'times the CPU of starting Node to import it',
};
const KEYS = Object.keys(SAID) as (keyof Weight)[];

/** @returns one sentence for every package that is too heavy or has no budget, and for every budget without a package */
export function checkBudgets(weights: ReadonlyMap<string, Weight>, budgets: Budgets): string[] {
  const problems: string[] = [];
  for (const [name, weight] of weights) {
    const budget = budgets[name];
    if (budget === undefined) {
      problems.push(`${name} has no budget`);
      continue;
    }
    for (const key of KEYS) {
      if (weight[key] <= budget[key]) continue;
      problems.push(
        `${name}: ${shown(weight[key])} ${SAID[key]}, and its budget is ${budget[key]}`,
      );
    }
  }
  for (const name of Object.keys(budgets)) {
    if (!weights.has(name)) problems.push(`${name} has a budget and is no package`);
  }
  return problems;
}

/** Budgets for what is now: kept where they suffice, else what is weighed and some room. */
export function newBudgets(weights: ReadonlyMap<string, Weight>, budgets: Budgets): Budgets {
  return Object.fromEntries(
    [...weights].map(([name, weight]) => {
      const entry = (key: keyof Weight): number => {
        const before = budgets[name]?.[key] ?? 0;
        return weight[key] <= before
          ? before
          : Math.ceil((weight[key] * ROOM[key]) / STEP[key]) * STEP[key];
      };
      return [
        name,
        {
          unpackedBytes: entry('unpackedBytes'),
          bundledBytes: entry('bundledBytes'),
          modules: entry('modules'),
          importRatio: entry('importRatio'),
        },
      ];
    }),
  );
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/** How often a package that seems slow is asked again: the machine may have been busy. */
const TRIES = 5;

async function weighAll(root: string, budgets: Budgets): Promise<Map<string, Weight>> {
  const tarballs = await packedPackages();
  const weights = new Map<string, Weight>();
  for (const published of publishedPackages(root)) {
    const { name } = published.manifest;
    let weight = await weigh(published, tarballs.get(name) ?? '');
    const allowed = budgets[name]?.importRatio ?? 0;
    for (let tries = 1; tries < TRIES && weight.importRatio > allowed; tries++) {
      const again = await importRatio(published);
      weight = { ...weight, importRatio: Math.min(weight.importRatio, again) };
    }
    weights.set(name, weight);
  }
  return weights;
}

if (import.meta.main) {
  const path = join(import.meta.dirname, 'budgets.json');
  const budgets = JSON.parse(readFileSync(path, 'utf8')) as Budgets;
  const weights = await weighAll(resolve(import.meta.dirname, '../..'), budgets);
  if (process.argv.includes('--write')) {
    writeFileSync(path, `${JSON.stringify(newBudgets(weights, budgets), null, 2)}\n`);
    console.log('budgets: written');
  } else {
    const problems = checkBudgets(weights, budgets);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) {
      console.error(
        'budgets: take something out, or raise the budget by `pnpm budgets --write` and say in the changeset what it buys',
      );
      process.exitCode = 1;
    } else console.log(`budgets: ${weights.size} packages keep to theirs`);
  }
}
