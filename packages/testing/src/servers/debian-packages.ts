import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from './build-once.ts';
import { cacheFolder } from './cache-folder.ts';
import { runProgram } from './run-program.ts';

/** What is to be fetched of Debian, and how it is kept. */
export interface DebianSelection {
  /** Its folder in the cache. Another number at its end makes everybody fetch it anew. */
  readonly folder: string;
  /** For the line that announces the download, such as `Prometheus (about 90 MB)`. */
  readonly title: string;
  /** All that these depend on comes with them. */
  readonly packages: readonly string[];
  /** Names of packages that can be done without. */
  readonly without?: RegExp;
  /** Folders for packages that others share names of files with, by the name of the package. */
  readonly apart?: Readonly<Record<string, string>>;
  /**
   * `newest`: newest programs, to be run with `command`, which brings their own C library. `machine`:
   * of the release that this machine runs, without a C library; for programs that have to know where
   * they lie, run as they are with `libraryPath` in `LD_LIBRARY_PATH`. Default: `newest`.
   */
  readonly release?: 'newest' | 'machine';
}

/** Packages unpacked into a folder, with what they depend on. */
export interface DebianPackages {
  /** What `/` would be; for packages that lie apart, the name of their folder is given. */
  root(apart?: string): string;
  /** Where the libraries lie, for `LD_LIBRARY_PATH`. */
  readonly libraryPath: string;
  /** Starts a program with these libraries and their loader instead of the machine's. */
  command(program: string, ...moreLibraries: string[]): string[];
}

const LIBRARIES = 'libraries';
const DOWNLOAD_TIMEOUT_MS = 300_000;
const C_LIBRARY = /^(libc6|libc-bin|libc-l10n|locales.*)$/;
const TRIPLES: Partial<Record<NodeJS.Architecture, readonly [string, string]>> = {
  x64: ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
  arm64: ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
};

/**
 * Downloads packages of Debian into the cache, without installing anything and without being root.
 * Only Debian has a mirror address to start from.
 *
 * @returns where they lie, or in words why they cannot be had here
 */
export async function debianPackages(selection: DebianSelection): Promise<DebianPackages | string> {
  const [triple, loader] = TRIPLES[process.arch] ?? [];
  if (triple === undefined || loader === undefined)
    return `debian: no packages for ${process.arch}`;
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID=debian$/m.test(system)) return 'debian: this machine does not run Debian';

  const folder = join(cacheFolder(), selection.folder);
  const fill = (draft: string): Promise<void> => download(draft, system, selection);
  await buildOnce(folder, fill, { timeoutMs: 2 * DOWNLOAD_TIMEOUT_MS });

  const libraryPath = join(folder, LIBRARIES, 'usr', 'lib', triple);
  return {
    root: (apart = LIBRARIES) => join(folder, apart),
    libraryPath,
    command: (program, ...moreLibraries) => [
      join(libraryPath, loader),
      '--argv0',
      program,
      '--library-path',
      [libraryPath, ...moreLibraries].join(':'),
      program,
    ],
  };
}

async function download(draft: string, system: string, selection: DebianSelection): Promise<void> {
  const { title, apart = {}, release = 'newest' } = selection;
  process.stderr.write(`Downloading ${title} for the tests into ${cacheFolder()} (once) ...\n`);
  const apt = join(draft, 'apt');
  const packages = join(apt, 'packages');
  await mkdir(join(apt, 'lists', 'partial'), { recursive: true });
  await mkdir(packages);
  await writeFile(join(apt, 'status'), '');

  // Lists, state and cache of our own: nothing of the machine's is read or changed, except its
  // sources, proxies and keys.
  const own = [
    `Dir::State::Lists=${join(apt, 'lists')}`,
    `Dir::State::status=${join(apt, 'status')}`,
    `Dir::Cache=${apt}`,
    'APT::Sandbox::User=root',
    'Debug::NoLocking=1',
    'Acquire::Retries=2',
    'Acquire::http::Timeout=20',
    'Acquire::https::Timeout=20',
  ].flatMap((option) => ['-o', option]);
  const codename = /^VERSION_CODENAME="?(\w+)/m.exec(system)?.[1] ?? 'stable';
  const wanted = release === 'newest' ? 'sid' : codename;
  const sources = join(apt, 'sources.list');
  const address = await mirror(own, codename);
  await writeFile(sources, `deb ${await signedBy()}${address} ${wanted} main\n`);
  own.push('-o', `Dir::Etc::sourcelist=${sources}`, '-o', 'Dir::Etc::sourceparts=/dev/null');

  const run = { cwd: packages, timeoutMs: DOWNLOAD_TIMEOUT_MS };
  await runProgram('apt-get', [...own, '--quiet', '--error-on=any', 'update'], run);
  const names = await closure(own, selection);
  await runProgram('apt-get', [...own, '--quiet', 'download', ...names], run);
  for (const file of await readdir(packages)) {
    const target = apart[file.split('_', 1)[0] ?? ''] ?? LIBRARIES;
    await runProgram('dpkg', ['--extract', join(packages, file), join(draft, target)]);
  }
  await rm(apt, { recursive: true });
}

// Where this machine gets its own packages from. Asked of an empty state, so that it does not
// matter whether the machine has ever fetched its lists.
async function mirror(own: readonly string[], codename: string): Promise<string> {
  const releases = [codename, 'oldstable', 'stable', 'testing', 'unstable', 'sid'];
  const uris = await runProgram('apt-get', [...own, 'update', '--print-uris']);
  for (const [, address, release = ''] of uris.matchAll(/^'(\S+)\/dists\/(\S+)\/InRelease'/gm)) {
    // Neither "bookworm-updates" and the like, which may live elsewhere, nor other vendors' sources.
    if (address !== undefined && releases.includes(release)) return address;
  }
  throw new Error('The package sources of this machine (apt) name no Debian mirror.');
}

async function signedBy(): Promise<string> {
  const keys = ['gpg', 'pgp'].map((end) => `/usr/share/keyrings/debian-archive-keyring.${end}`);
  const found = keys.find((file) => existsSync(file));
  return found === undefined ? '' : `[signed-by=${found}] `;
}

/** The packages and all that they depend on, by apt's own choice where there is one to make. */
async function closure(
  own: readonly string[],
  { packages, without, release }: DebianSelection,
): Promise<string[]> {
  const names = new Set<string>();
  // Each by itself: those that nobody could install together can lie beside each other.
  for (const wanted of packages) {
    const plan = ['install', '--simulate', '--no-install-recommends', wanted];
    const text = await runProgram('apt-get', [...own, '--quiet', ...plan]);
    for (const [, name = ''] of text.matchAll(/^Inst (\S+)/gm)) names.add(name);
  }
  return [...names].filter(
    (name) => without?.test(name) !== true && !(release === 'machine' && C_LIBRARY.test(name)),
  );
}
