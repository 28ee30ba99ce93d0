// The pages say nothing that is not so: their programs run.
//
// A fence that begins with ```ts run is a whole program. It runs with DATABASE_URL unset; when it
// imports a driver of a server, DATABASE_URL is the address of that server. In the pages of the site
// every fence of TypeScript is one of these, or `ts check`, whose types are checked, or
// `ts not run: <why>`. A program that ends its process is `ts run alone`.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { type Fence, fencesIn, guides, packagePages, root, sitePages } from './pages.ts';
import { inScratch, runPrograms, writeFence } from './run-programs.ts';

const pages = [...guides, ...packagePages, ...sitePages];
const fences = pages.flatMap((page) => fencesIn(page));
const programs = fences.filter(({ info }) => /^ts run(?: alone)?$/.test(info));

test.each(['README.md', ...packagePages.filter((page) => page.includes('/foundation/'))])(
  '%s has a program that runs',
  (page) => {
    expect(programs.map((fence) => fence.page)).toContain(page);
  },
);

// Nearly all the time goes into starting processes: those of a folder of the site share one.
describe.each([...Map.groupBy(programs, shelfOf)])('%s', (_, onShelf) => {
  for (const [name, { url, run }] of targetsOf(onShelf)) {
    test(`runs on ${name}: ${run.length}`, { timeout: 60_000 }, async () => {
      expect(await runPrograms(run, url)).toEqual({ exit: 0, stderr: '' });
    });
  }
});

test('every fence of TypeScript in the site is run, checked, or says why not', () => {
  const ofSite = fences.filter(({ page, info }) => sitePages.includes(page) && /^ts\b/.test(info));
  const unmarked = ofSite.filter(
    ({ info }) => !/^ts (?:run(?: alone)?|check|not run: .+)$/.test(info),
  );
  expect(unmarked.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
  expect(ofSite.length).toBeGreaterThan(20);
});

test('the types of the programs are right', { timeout: 60_000 }, async () => {
  const checked = fences.filter(({ info }) => /^ts (?:run|check)/.test(info));
  await inScratch(async (folder) => {
    for (const fence of checked) writeFence(folder, fence);
    const tsconfig = {
      extends: join(root, 'tsconfig.json'),
      // What the reader's editor would not hold against a snippet.
      compilerOptions: { noPropertyAccessFromIndexSignature: false, isolatedDeclarations: false },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = await promisify(execFile)(tsc, ['-p', '.', '--pretty', 'false'], {
      cwd: folder,
    }).catch((error: { stdout: string }) => error);
    // What is wrong in the sources is for the check of the whole repository to say.
    expect(stdout.split('\n').filter((line) => /^[\w-]+\.ts\(/.test(line))).toEqual([]);
  });
});

function shelfOf({ page, line, info }: Fence): string {
  if (info.endsWith('alone')) return `${page}:${line}`;
  return sitePages.includes(page) ? dirname(page) : page;
}

interface Target {
  readonly url: string | undefined;
  readonly run: Fence[];
}

/** Where programs run. An engine that this run of the tests leaves out is left out here too. */
function targetsOf(onShelf: readonly Fence[]): Map<string, Target> {
  const targets = new Map<string, Target>();
  const engines = inject('engines');
  for (const fence of onShelf) {
    const names = fence.content.includes("'@dal/postgres'")
      ? ['postgres']
      : fence.content.includes("'@dal/mysql'")
        ? ['mysql', 'mariadb']
        : undefined;
    const found =
      names === undefined
        ? [{ name: 'SQLite', url: undefined }]
        : engines.filter(({ name }) => names.includes(name));
    for (const { name, url } of found) {
      const target = targets.get(name) ?? { url, run: [] };
      target.run.push(fence);
      targets.set(name, target);
    }
  }
  return targets;
}
