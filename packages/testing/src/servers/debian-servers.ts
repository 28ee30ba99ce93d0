import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOnce } from './build-once.ts';
import { cacheFolder } from './cache-folder.ts';
import { runProgram } from './run-program.ts';

/** MySQL and MariaDB unpacked, with all the libraries that they need, C library included. */
export interface DebianServers {
  /** What `/usr` would be. */
  readonly basedir: { readonly mysql: string; readonly mariadb: string };
  /** Starts a program with these libraries instead of the machine's. */
  command(program: string): string[];
}

const PROGRAMS = ['mysql-server-core', 'mariadb-server-core'];
const DOWNLOAD_TIMEOUT_MS = 300_000;
const TRIPLES: Partial<Record<NodeJS.Architecture, readonly [string, string]>> = {
  x64: ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
  arm64: ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
};

/**
 * Downloads the server packages of Debian's newest release into the cache, without installing
 * anything and without being root. Only Debian has a mirror address to start from.
 *
 * @returns the servers, or in words why they cannot be had here
 */
export async function debianServers(): Promise<DebianServers | string> {
  const [triple, loader] = TRIPLES[process.arch] ?? [];
  if (triple === undefined || loader === undefined)
    return `debian: no packages for ${process.arch}`;
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID=debian$/m.test(system)) return 'debian: this machine does not run Debian';

  const folder = join(cacheFolder(), `debian-servers-${process.arch}-1`);
  await buildOnce(folder, (draft) => download(draft), { timeoutMs: 2 * DOWNLOAD_TIMEOUT_MS });

  const libraries = join(folder, 'libraries', 'usr', 'lib', triple);
  const path = [libraries, join(folder, 'mysql', 'usr', 'lib', 'mysql', 'private')].join(':');
  return {
    basedir: { mysql: join(folder, 'mysql', 'usr'), mariadb: join(folder, 'mariadb', 'usr') },
    command: (program) => [
      join(libraries, loader),
      '--argv0',
      program,
      '--library-path',
      path,
      program,
    ],
  };
}

async function download(draft: string): Promise<void> {
  process.stderr.write(
    `Downloading MySQL and MariaDB for the tests into ${cacheFolder()} (once, about 70 MB) ...\n`,
  );
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
  const sources = join(apt, 'sources.list');
  await writeFile(sources, `deb ${await signedBy()}${await mirror(own)} sid main\n`);
  own.push('-o', `Dir::Etc::sourcelist=${sources}`, '-o', 'Dir::Etc::sourceparts=/dev/null');

  const run = { cwd: packages, timeoutMs: DOWNLOAD_TIMEOUT_MS };
  await runProgram('apt-get', [...own, '--quiet', '--error-on=any', 'update'], run);
  await runProgram('apt-get', [...own, '--quiet', 'download', ...(await closure(own))], run);
  for (const file of await readdir(packages)) {
    // The two servers have files of the same name.
    const target = /^(mysql|mariadb)-server-core_/.exec(file)?.[1] ?? 'libraries';
    await runProgram('dpkg', ['--extract', join(packages, file), join(draft, target)]);
  }
  await rm(apt, { recursive: true });
}

// Where this machine gets its own packages from. Asked of an empty state, so that it does not
// matter whether the machine has ever fetched its lists.
async function mirror(own: readonly string[]): Promise<string> {
  const system = await readFile('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME="?(\w+)/m.exec(system)?.[1] ?? 'stable';
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

async function closure(own: readonly string[]): Promise<string[]> {
  const without = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
  const text = await runProgram('apt-cache', [
    ...own,
    'depends',
    '--recurse',
    ...without.map((kind) => `--no-${kind}`),
    ...PROGRAMS,
  ]);
  const names = text.split('\n').filter((line) => /^[a-z]/.test(line));
  // Perl is for scripts around the servers, and nearly half of the rest.
  return [...new Set(names)].filter((name) => !/^(lib)?perl|:/.test(name));
}
