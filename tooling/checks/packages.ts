import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packedPackages } from '../../tests/setup/packed-packages.ts';

/** What `require()` of an ES module needs not be told of: it works from Node 22.13 on. */
const EXPECTED = new Set(['CJSResolvesToESM']);

/**
 * Looks at a package as it is published: do its entry points lead somewhere, and do Node, bundlers and
 * TypeScript find the same there?
 *
 * @param tarball its bytes
 * @returns one sentence for every finding
 */
export async function checkTarball(name: string, tarball: Uint8Array): Promise<string[]> {
  const bytes = new Uint8Array(tarball);
  const { messages, pkg } = await publint({ strict: true, pack: { tarball: bytes.buffer } });
  const problems = messages.map(
    (message) => `${name}: ${formatMessage(message, pkg, { color: false }) ?? message.code}`,
  );
  const types = await checkPackage(createPackageFromTarballData(bytes));
  if (types.types === false) return [...problems, `${name}: has no types`];
  for (const problem of types.problems) {
    const resolution = 'resolutionKind' in problem ? problem.resolutionKind : '';
    // Node 10 knows no exports at all, and nothing here runs on it.
    if (resolution === 'node10' || EXPECTED.has(problem.kind)) continue;
    const entry = 'entrypoint' in problem ? problem.entrypoint : '';
    problems.push(`${name}: ${[problem.kind, entry, resolution].filter(Boolean).join(' ')}`);
  }
  return problems;
}

if (import.meta.main) {
  const problems: string[] = [];
  const tarballs = await packedPackages();
  for (const [name, path] of tarballs) {
    problems.push(...(await checkTarball(name, readFileSync(path))));
  }
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`packages: ${tarballs.size} are fit for Node, bundlers and TypeScript`);
}
