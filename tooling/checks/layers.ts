import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, matchesGlob, relative, resolve, sep } from 'node:path';
import { importsOf } from './imports-of.ts';

/**
 * What the packages in one folder may know. Folders are written as globs, relative to the root.
 * The first rule that matches a folder holds, so that an exception stands above its group.
 */
export interface LayerRule {
  /** Packages that the sources may import and the manifest may depend on. */
  readonly imports: ReadonlyArray<string>;
  /** Packages that may be imported at run time only: `await import(name)`. Default: none. */
  readonly loads?: ReadonlyArray<string>;
  /** Packages that may stand in devDependencies besides `imports` and `loads`. Default: none. */
  readonly tests?: ReadonlyArray<string>;
  /**
   * How packages from outside may be imported: `one-file` keeps each behind a single source file,
   * so that it can be replaced. Default: `one-file`.
   */
  readonly thirdParty?: 'none' | 'one-file' | 'any-file';
}

/** `architecture.json`. */
export interface Architecture {
  readonly packages: Readonly<Record<string, LayerRule>>;
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Workspace {
  /** Relative to the root, with forward slashes. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/**
 * Compares every package's imports and manifest with `architecture.json`.
 *
 * @returns one sentence for every arrow that is not allowed; empty when the map can be believed
 */
export function checkLayers(root: string): string[] {
  const architecture = readJson(join(root, 'architecture.json')) as Architecture;
  const workspaces = findWorkspaces(root);
  const folderOf = new Map(workspaces.map(({ folder, manifest }) => [manifest.name, folder]));
  const problems: string[] = [];
  for (const workspace of workspaces) {
    const rule = ruleFor(architecture, workspace.folder);
    if (rule === undefined) {
      problems.push(`${workspace.folder}: no rule in architecture.json says what it may import`);
      continue;
    }
    problems.push(...checkManifest(workspace, rule, folderOf));
    problems.push(...checkSources(root, workspace, rule, folderOf));
  }
  return problems;
}

function checkManifest(
  { folder, manifest }: Workspace,
  rule: LayerRule,
  folderOf: ReadonlyMap<string, string>,
): string[] {
  const problems: string[] = [];
  const at = `${folder}/package.json`;
  const loads = rule.loads ?? [];
  const fields = [
    ['dependencies', rule.imports],
    ['optionalDependencies', rule.imports],
    ['peerDependencies', [...rule.imports, ...loads]],
    ['devDependencies', [...rule.imports, ...loads, ...(rule.tests ?? [])]],
  ] as const;
  for (const [field, allowed] of fields) {
    for (const name of Object.keys(manifest[field] ?? {})) {
      const target = folderOf.get(name);
      if (target !== undefined && !matchesAny(target, allowed)) {
        problems.push(`${at}: ${field} may not name ${name}`);
      } else if (
        target === undefined &&
        rule.thirdParty === 'none' &&
        field !== 'devDependencies'
      ) {
        problems.push(`${at}: ${field} may not name ${name}, this package stands on nothing`);
      }
    }
  }
  return problems;
}

function checkSources(
  root: string,
  { folder, manifest }: Workspace,
  rule: LayerRule,
  folderOf: ReadonlyMap<string, string>,
): string[] {
  const problems: string[] = [];
  const declared = new Set([
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.optionalDependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {}),
  ]);
  const importers = new Map<string, Set<string>>();

  for (const file of sourceFiles(root, folder)) {
    const path = join(root, file);
    for (const { specifier, when, line } of importsOf(path, readFileSync(path, 'utf8'))) {
      const at = `${file}:${line}`;
      if (specifier === undefined) {
        // A computed name would walk past every other rule.
        if (rule.loads === undefined && rule.thirdParty !== 'any-file') {
          problems.push(`${at}: imports a computed name; only a package with "loads" may`);
        }
        continue;
      }
      if (specifier.startsWith('.')) {
        if (!isInside(join(root, folder), resolve(dirname(path), specifier))) {
          problems.push(`${at}: '${specifier}' leaves the package; import it by its name`);
        }
        continue;
      }
      if (isBuiltin(specifier)) continue;

      const name = packageName(specifier);
      const target = folderOf.get(name);
      if (target !== undefined) {
        const lazy = when === 'run-time' && matchesAny(target, rule.loads ?? []);
        if (!lazy && !matchesAny(target, rule.imports)) {
          problems.push(`${at}: ${manifest.name} may not import ${name}`);
        } else if (!lazy && !declared.has(name)) {
          problems.push(`${at}: ${name} is missing in the dependencies of ${manifest.name}`);
        }
        continue;
      }
      if (rule.thirdParty === 'none') {
        problems.push(`${at}: ${manifest.name} stands on nothing and may not import ${name}`);
      } else if (!declared.has(name)) {
        problems.push(`${at}: ${name} is missing in the dependencies of ${manifest.name}`);
      }
      importers.set(name, (importers.get(name) ?? new Set()).add(file));
    }
  }

  if (rule.thirdParty === undefined || rule.thirdParty === 'one-file') {
    for (const [name, files] of importers) {
      if (files.size > 1) {
        problems.push(
          `${folder}: ${name} is imported in ${files.size} files (${[...files].join(', ')}); keep it behind one`,
        );
      }
    }
  }
  return problems;
}

function findWorkspaces(root: string): Workspace[] {
  const manifests = globSync(
    ['packages/*/package.json', 'packages/*/*/package.json', 'apps/*/package.json'],
    { cwd: root, exclude: (path) => path.endsWith('node_modules') },
  );
  return manifests.toSorted().map((path) => ({
    folder: toPosix(dirname(path)),
    manifest: readJson(join(root, path)) as Manifest,
  }));
}

/** Sources as they are published: tests beside them are free to import what they need. */
function sourceFiles(root: string, folder: string): string[] {
  return globSync(`${folder}/src/**/*.{ts,mts,cts,js,mjs,cjs}`, { cwd: root })
    .map(toPosix)
    .filter((file) => !/\.test(?:-d)?\.\w+$/.test(file))
    .toSorted();
}

function ruleFor({ packages }: Architecture, folder: string): LayerRule | undefined {
  return Object.entries(packages).find(([glob]) => matchesGlob(folder, glob))?.[1];
}

function matchesAny(folder: string, globs: ReadonlyArray<string>): boolean {
  return globs.some((glob) => matchesGlob(folder, glob));
}

/** `@scope/name/sub` -> `@scope/name`, `name/sub` -> `name`. */
function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
}

function toPosix(path: string): string {
  return path.split(sep).join('/');
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

if (import.meta.main) {
  const problems = checkLayers(resolve(import.meta.dirname, '../..'));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log('layers: every import follows architecture.json');
}
