import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The root of the repository. */
export const ROOT: string = join(import.meta.dirname, '../../..');
/** Where the pages are, written and generated ones. */
export const PAGES: string = join(ROOT, 'apps/docs/src');

/** A package that programs import. */
export interface PublicPackage {
  /** `@dal/postgres` */
  readonly name: string;
  /** `postgres`: what its page is called. */
  readonly slug: string;
  /** `packages/drivers/postgres` */
  readonly folder: string;
  /** The declarations of its entries, relative to the root; made by the build. */
  readonly types: readonly string[];
  /** What stands behind the slug in the address of each page of its API: `''`, `/fake`. */
  readonly apiPages: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly types?: string }>>;
}

/** All packages that programs import, by folder; a command such as `npm create dal-driver` is none. */
export function publicPackages(root: string = ROOT): PublicPackage[] {
  return globSync(['packages/*/package.json', 'packages/*/*/package.json'], {
    cwd: root,
    exclude: (path) => path.includes('node_modules'),
  })
    .toSorted()
    .flatMap((file) => {
      const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest;
      if (manifest.private || !manifest.name.startsWith('@dal/')) return [];
      const folder = dirname(file).replaceAll('\\', '/');
      const entries = Object.entries(manifest.exports ?? {}).flatMap(([path, entry]) =>
        typeof entry === 'object' && entry.types ? [{ path, types: entry.types }] : [],
      );
      return [
        {
          name: manifest.name,
          slug: manifest.name.replace(/^@[^/]+\//, ''),
          folder,
          types: entries.map(({ types }) => join(folder, types)),
          apiPages: entries.map(({ path }) => path.slice(1)),
        },
      ];
    });
}
