import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicPackage } from './workspace.ts';

/** A page that is a file of the repository. */
export interface CopiedPage {
  /** Relative to the folder of the pages. */
  readonly page: string;
  /** Relative to the root of the repository; what its links go by. */
  readonly from: string;
}

/** Pages of the repository that are no package's. */
const OTHERS: readonly CopiedPage[] = [
  { page: 'architecture.md', from: 'ARCHITECTURE.md' },
  { page: 'contributing.md', from: 'CONTRIBUTING.md' },
  { page: 'support-policy.md', from: 'SUPPORT.md' },
  { page: 'security.md', from: 'SECURITY.md' },
  { page: 'packages/create-driver.md', from: 'packages/create-driver/README.md' },
  { page: 'packages/bench.md', from: 'apps/bench/README.md' },
  { page: 'packages/demo.md', from: 'apps/demo/README.md' },
  { page: 'packages/examples.md', from: 'apps/examples/README.md' },
];

/** Every page that is a copy, as far as its file is there. */
export function copiedPages(root: string, packages: readonly PublicPackage[]): CopiedPage[] {
  const readmes = packages.map(({ slug, folder }) => ({
    page: `packages/${slug}.md`,
    from: `${folder}/README.md`,
  }));
  return [...readmes, ...OTHERS].filter(({ from }) => existsSync(join(root, from)));
}

/** The same words, with a note for the build that says where its links start. */
export function copyOf(root: string, { from }: CopiedPage): string {
  const words = readFileSync(join(root, from), 'utf8');
  return `---\nfrom: ${from}\nlastUpdated: false\n---\n\n${words}`;
}
