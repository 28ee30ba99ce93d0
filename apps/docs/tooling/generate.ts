// Writes the pages that are made of the code and of the repository's own pages. Needs built packages:
// `pnpm docs:build` sees to that.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeApiPages } from './api-pages.ts';
import { benchPage } from './bench-page.ts';
import { errorPage, readErrors } from './errors/error-page.ts';
import { optionPage } from './options/option-page.ts';
import { overridablePage } from './overridable-page.ts';
import { copiedPages, copyOf } from './package-pages.ts';
import { PAGES, publicPackages, type PublicPackage, ROOT } from './workspace.ts';

const packages = publicPackages();
refuseMissing(packages);

for (const folder of ['api', 'packages', 'reference']) {
  rmSync(join(PAGES, folder), { recursive: true, force: true });
}
const overridable = await writeApiPages(packages, join(PAGES, 'api'));
write('reference/errors.md', errorPage(readErrors(ROOT)));
write('reference/options.md', optionPage(ROOT));
write('reference/overridable.md', overridablePage(overridable));
write('benchmarks.md', benchPage(ROOT));
for (const copied of copiedPages(ROOT, packages)) write(copied.page, copyOf(ROOT, copied));

function write(page: string, words: string): void {
  mkdirSync(dirname(join(PAGES, page)), { recursive: true });
  writeFileSync(join(PAGES, page), words);
}

/** A package that this one does not depend on would not be built before it, nor seen by the cache. */
function refuseMissing(all: readonly PublicPackage[]): void {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'apps/docs/package.json'), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const unknown = all.filter(({ name }) => !Object.hasOwn(manifest.devDependencies, name));
  const unbuilt = all.filter(({ types }) => !types.every((path) => existsSync(join(ROOT, path))));
  const problems = [
    ...unknown.map(({ name }) => `${name} is not in the devDependencies of apps/docs`),
    ...unbuilt.map(({ name }) => `${name} is not built: turbo run build --filter=${name}`),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
}
