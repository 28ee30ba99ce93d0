import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { lock } from 'proper-lockfile';
import { stringify } from 'yaml';
import {
  publishedPackages,
  type PublishedPackage,
} from '../../tooling/checks/published-packages.ts';
import { runAsStranger } from './run-as-stranger.ts';

/** How `installPacked` installs. */
export interface InstallOptions {
  /** @default 'npm' */
  readonly manager?: PackageManager;
}

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'yarn-pnp';

const ROOT = resolve(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules', '.bin');
const CACHE = join(ROOT, 'node_modules', '.cache', 'packed');
/** Where a manifest names what is installed with it. */
const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
const NEEDS = ['dependencies', 'optionalDependencies', 'peerDependencies'] as const;
/** Longer than any run that may still read a tarball. */
const STALE_AFTER_MS = 60 * 60_000;

/** Nobody waits for longer than a build takes; a holder that died is noticed by its silence. */
const LOCK = { stale: 30_000, retries: { forever: true, minTimeout: 50, maxTimeout: 200 } };

/**
 * Builds published packages and packs them as they would be published.
 * What did not change since the last time is not packed again, whichever process packed it.
 *
 * @param names those wanted, with all they need of ours; without it, every published package
 * @returns the absolute path of each package's tarball, by the package's name
 */
export async function packedPackages(
  names?: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  await mkdir(CACHE, { recursive: true });
  // Building and packing are one step: nobody may pack what somebody else is just writing.
  const unlock = await lock(CACHE, LOCK);
  try {
    const packages = names === undefined ? publishedPackages(ROOT) : withNeeds(names);
    await build(packages);
    const tarballs = await Promise.all(
      packages.map(async (one) => [one.manifest.name, await pack(one)] as const),
    );
    await dropStale(new Set(tarballs.map(([, tarball]) => tarball)));
    return new Map(tarballs);
  } finally {
    await unlock();
  }
}

/**
 * Installs packages in a folder outside of the repository, as a stranger would do it. Names of ours in
 * the manifest, such as `{ dependencies: { '@dal/sqlite': '*' } }`, and all they need of ours come from
 * tarballs, everything else from the registry or the manager's cache.
 *
 * @param manifest a package.json; its `name` and `private` may be left out
 */
export async function installPacked(
  folder: string,
  manifest: Readonly<Record<string, unknown>>,
  { manager = 'npm' }: InstallOptions = {},
): Promise<void> {
  const tarballs = await packedPackages(namesIn(manifest, SECTIONS));
  const files = Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));
  const asked = { name: 'app', private: true, ...manifest };
  await mkdir(folder, { recursive: true });
  await MANAGERS[manager](folder, asked, files);
}

/** The named packages and, of ours, all that they need. Names of others are left out. */
function withNeeds(names: Iterable<string>): PublishedPackage[] {
  const all = publishedPackages(ROOT);
  const needed = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const found = all.find(({ manifest }) => manifest.name === name);
    if (found === undefined || needed.has(name)) continue;
    needed.add(name);
    queue.push(...namesIn(found.manifest, NEEDS));
  }
  return all.filter(({ manifest }) => needed.has(manifest.name));
}

function namesIn(manifest: object, sections: readonly string[]): string[] {
  const own: Partial<Record<string, object>> = { ...manifest };
  return sections.flatMap((section) => Object.keys(own[section] ?? {}));
}

async function build(packages: ReadonlyArray<PublishedPackage>): Promise<void> {
  const projects = packages
    .map(({ folder }) => join(folder, 'tsconfig.build.json'))
    .filter((project) => existsSync(project));
  await runAsStranger(join(BIN, 'tsc'), ['-b', ...projects], ROOT);
}

async function pack({ folder, manifest }: PublishedPackage): Promise<string> {
  const file = `${manifest.name.replace('@', '').replace('/', '-')}-${contentHash(folder)}.tgz`;
  const tarball = join(CACHE, file);
  if (existsSync(tarball)) return tarball;
  const unfinished = `${tarball}.${process.pid}`;
  await runAsStranger(join(BIN, 'pnpm'), ['pack', '--out', unfinished], folder);
  // Complete or not there at all, even when this process is killed.
  await rename(unfinished, tarball);
  return tarball;
}

/** Stands for all that may end up in the tarball, and what pnpm writes into its manifest. */
function contentHash(folder: string): string {
  const hash = createHash('sha256');
  for (const file of ['pnpm-workspace.yaml', 'LICENSE'])
    hash.update(readFileSync(join(ROOT, file)));
  const files = globSync('**/*', {
    cwd: folder,
    exclude: ({ name }) => name === 'node_modules' || name === '.turbo' || name === '.tsbuildinfo',
    withFileTypes: true,
  });
  const paths = files
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.toSorted()) {
    hash.update(path).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

async function dropStale(current: ReadonlySet<string>): Promise<void> {
  for (const file of globSync('*.tgz*', { cwd: CACHE })) {
    const path = join(CACHE, file);
    if (current.has(path)) continue;
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > STALE_AFTER_MS) await rm(path, { force: true });
  }
}

type Install = (
  folder: string,
  manifest: object,
  files: Readonly<Record<string, string>>,
) => Promise<void>;

/** Each writes its own words for "this name comes from that file", and installs. */
const MANAGERS: Readonly<Record<PackageManager, Install>> = {
  async npm(folder, manifest, files) {
    const own = withFiles(manifest, files);
    // npm refuses an override of what the manifest itself asks for.
    const asked = new Set(SECTIONS.flatMap((section) => Object.keys(own[section] ?? {})));
    const overrides = Object.fromEntries(
      Object.entries(files).filter(([name]) => !asked.has(name)),
    );
    await writeManifest(folder, { ...own, overrides });
    await runAsStranger('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  },

  async pnpm(folder, manifest, files) {
    await writeManifest(folder, withFiles(manifest, files));
    // Install scripts don't run, and that is no error: nothing of ours needs one.
    const settings = { overrides: files, strictDepBuilds: false };
    await writeFile(join(folder, 'pnpm-workspace.yaml'), stringify(settings));
    const args = ['install', '--prefer-offline', '--no-frozen-lockfile'];
    await runAsStranger(join(BIN, 'pnpm'), args, folder);
  },

  yarn: (folder, manifest, files) => yarn(folder, manifest, files, 'node-modules'),
  'yarn-pnp': (folder, manifest, files) => yarn(folder, manifest, files, 'pnp'),
};

async function yarn(
  folder: string,
  manifest: object,
  files: Readonly<Record<string, string>>,
  nodeLinker: string,
): Promise<void> {
  await writeManifest(folder, { ...withFiles(manifest, files), resolutions: files });
  await writeFile(join(folder, 'yarn.lock'), '');
  const { stdout: registry } = await runAsStranger('npm', ['config', 'get', 'registry'], folder);
  const settings = {
    nodeLinker,
    // The one that is known to be in reach; Yarn has another by default.
    npmRegistryServer: registry.trim(),
    enableTelemetry: false,
    enableScripts: false,
    // What CI would forbid: there is no lockfile yet.
    enableImmutableInstalls: false,
  };
  await writeFile(join(folder, '.yarnrc.yml'), stringify(settings));
  await runAsStranger(join(BIN, 'yarn'), ['install'], folder);
}

/** The manifest with our names led to their tarballs. */
function withFiles(
  manifest: object,
  files: Readonly<Record<string, string>>,
): Partial<Record<string, Record<string, string>>> {
  const own: Partial<Record<string, Record<string, string>>> = { ...manifest };
  for (const section of SECTIONS) {
    const names = own[section];
    if (names === undefined) continue;
    own[section] = Object.fromEntries(
      Object.entries(names).map(([name, range]) => [name, files[name] ?? range]),
    );
  }
  return own;
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
