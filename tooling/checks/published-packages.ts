import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the checks read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly sideEffects?: unknown;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly publishConfig?: { readonly access?: string; readonly exports?: Manifest['exports'] };
  readonly engines?: Readonly<Record<string, string>>;
}

/** A package of the workspace that is published. */
export interface PublishedPackage {
  /** Absolute. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** One door into a package: `@dal/testing/servers`. */
export interface EntryPoint {
  readonly name: string;
  /** `servers` for `./servers`; for `.` the last part of the package's name. */
  readonly short: string;
  /** Absolute paths of what is published. */
  readonly types: string;
  readonly code: string;
}

/** Finds every package of the workspace that is published, sorted by name. */
export function publishedPackages(root: string): PublishedPackage[] {
  return globSync(['packages/*/package.json', 'packages/*/*/package.json'], {
    cwd: root,
    exclude: (path) => path.endsWith('node_modules'),
  })
    .map((path) => ({
      folder: join(root, dirname(path)),
      manifest: JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest,
    }))
    .filter(({ manifest }) => manifest.private !== true)
    .toSorted((one, other) => (one.manifest.name < other.manifest.name ? -1 : 1));
}

/** The entry points of a package that have types; a program to run has none. */
export function entryPoints({ folder, manifest }: PublishedPackage): EntryPoint[] {
  const published = manifest.publishConfig?.exports ?? manifest.exports ?? {};
  return Object.entries(published).flatMap(([path, target]) => {
    if (typeof target === 'string') return [];
    const { types, default: code } = target;
    if (types === undefined || code === undefined) return [];
    return [
      {
        name: manifest.name + path.slice(1),
        short: (path === '.' ? manifest.name : path).split('/').at(-1) ?? path,
        types: join(folder, types),
        code: join(folder, code),
      },
    ];
  });
}
