import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Manifest, type PublishedPackage, publishedPackages } from './published-packages.ts';

/** Only in this repository: there it leads to the sources. */
const OURS = '@dal/source';

/**
 * Compares the manifests of all published packages with what those may expect who install them.
 *
 * @returns one sentence for every difference
 */
export function checkManifests(root: string): string[] {
  const packages = publishedPackages(root);
  const engines = packages[0]?.manifest.engines;
  return packages.flatMap((published) => {
    const at = relative(root, join(published.folder, 'package.json'));
    const found = [...manifestProblems(published.manifest), ...effects(published)];
    if (!isDeepStrictEqual(published.manifest.engines, engines)) {
      found.push('engines differ from those of the other packages');
    }
    return found.map((sentence) => `${at}: ${sentence}`);
  });
}

function manifestProblems(manifest: Manifest): string[] {
  const { engines, exports = {}, license, publishConfig, sideEffects, type } = manifest;
  const problems: string[] = [];
  if (type !== 'module') problems.push('type has to be "module"');
  if (license !== 'MIT') problems.push('license has to be "MIT"');
  if (engines?.['node'] === undefined) problems.push('engines do not say which Node it needs');
  if (publishConfig?.access !== 'public') problems.push('publishConfig.access has to be "public"');
  if (sideEffects !== false) problems.push('sideEffects has to be false, for bundlers');
  if (!isDeepStrictEqual(publishConfig?.exports, withoutOurs(exports))) {
    problems.push(`publishConfig.exports has to be exports without "${OURS}"`);
  }
  if (exports['./package.json'] === undefined) problems.push('exports lack "./package.json"');
  for (const [path, target] of Object.entries(exports)) {
    if (typeof target === 'string') continue;
    const conditions = Object.keys(target);
    // The first that fits counts, so their order is part of their meaning.
    if (!isDeepStrictEqual(conditions, [OURS, 'types', 'default'])) {
      problems.push(
        `exports["${path}"] has to name "${OURS}", "types" and "default", in this order`,
      );
    }
  }
  return problems;
}

function withoutOurs(exports: NonNullable<Manifest['exports']>): Manifest['exports'] {
  return Object.fromEntries(
    Object.entries(exports).map(([path, target]) => {
      if (typeof target === 'string') return [path, target];
      const { [OURS]: _, ...published } = target;
      return [path, published];
    }),
  );
}

/** A module that is imported for its effects alone is what `sideEffects: false` lets bundlers drop. */
function effects({ folder }: PublishedPackage): string[] {
  return globSync('src/**/*.ts', { cwd: folder })
    .filter((file) => !file.endsWith('.test.ts'))
    .filter((file) => /^import ['"]/m.test(readFileSync(join(folder, file), 'utf8')))
    .map((file) => `${file} imports a module for its effects, and sideEffects is false`);
}
