import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeCertificates } from './certificates.ts';
import { debianServers } from './debian-servers.ts';
import { findPrograms } from './find-program.ts';
import { createGuardedFolder } from './guarded-folder.ts';
import { startLocalServer } from './local-server.ts';
import { mysqlGreeting } from './mysql-greeting.ts';
import { runProgram } from './run-program.ts';
import {
  isWantedVersion,
  type Server,
  type ServerKind,
  type ServerOptions,
  type ServerSource,
} from './server.ts';
import { copyTemplate } from './template.ts';

type Flavor = Exclude<ServerKind, 'postgres'>;

/** A program of either flavor, and where its files lie. */
interface Program {
  flavor: Flavor;
  version: string;
  via: ServerSource;
  /** The program, with whatever has to stand before it. */
  command: string[];
  /** Arguments that name the folders with messages, character sets and plugins. */
  places: string[];
  /** Where messages and the scripts for new databases lie. */
  share: string | undefined;
}

/** A MySQL or MariaDB that is installed on this machine, as a process of its own. */
export async function startInstalledMysql(
  kind: ServerKind,
  options: ServerOptions,
): Promise<Server | string> {
  const flavor = kind as Flavor;
  const names = flavor === 'mariadb' ? ['mariadbd', 'mysqld'] : ['mysqld'];
  const seen: string[] = [];
  for (const file of names.flatMap(findPrograms)) {
    const program = await inspect([file], dirname(dirname(file)), 'path');
    if (program.flavor === flavor && isWantedVersion(program.version, options.version)) {
      return start(program, options);
    }
    seen.push(`${file} is ${program.flavor} ${program.version}`);
  }
  const found = seen.length === 0 ? `no ${names.join(' or ')}` : seen.join(', ');
  return `installed: ${found} on PATH or in the usual folders`;
}

/** MySQL or MariaDB from packages that are downloaded, but not installed. */
export async function startDebianMysql(
  kind: ServerKind,
  options: ServerOptions,
): Promise<Server | string> {
  const flavor = kind as Flavor;
  const servers = await debianServers();
  if (typeof servers === 'string') return servers;
  const basedir = servers.basedir[flavor];
  const file = join(basedir, 'sbin', flavor === 'mariadb' ? 'mariadbd' : 'mysqld');
  const program = await inspect(servers.command(file), basedir, 'debian');
  return isWantedVersion(program.version, options.version)
    ? start(program, options)
    : `debian: ${flavor} ${program.version}, not version ${options.version}`;
}

async function start(
  program: Program,
  { settings, tls: wantsTls = false }: ServerOptions,
): Promise<Server> {
  const { flavor, version, via, places } = program;
  const folder = createGuardedFolder(flavor);
  const data = join(folder.path, 'data');
  const pidFile = join(folder.path, 'pid');
  try {
    const name = `${flavor}-${version}-${via}-${process.arch}-1`;
    const password = await copyTemplate(name, data, (draft, newPassword) =>
      flavor === 'mariadb'
        ? initialiseMariadb(program, draft, newPassword)
        : initialiseMysql(program, draft, newPassword),
    );
    const tls = wantsTls ? await makeCertificates(join(folder.path, 'tls')) : undefined;
    const certificates = {
      'ssl-ca': join(folder.path, 'tls', 'ca.crt'),
      'ssl-cert': join(folder.path, 'tls', 'server.crt'),
      'ssl-key': join(folder.path, 'tls', 'server.key'),
    };
    const all = {
      'bind-address': '127.0.0.1',
      socket: join(folder.path, 'socket'),
      'pid-file': pidFile,
      // A MariaDB that starts removes what others have in a folder for temporary tables that they share.
      tmpdir: folder.path,
      'skip-name-resolve': true,
      'max-connections': 200,
      'innodb-buffer-pool-size': '64M',
      // 2 hands each commit to the operating system, so that a killed server loses none. 0 would.
      'innodb-flush-log-at-trx-commit': 2,
      ...(flavor === 'mysql' && {
        mysqlx: false,
        'log-bin': false,
        'secure-file-priv': folder.path,
      }),
      ...(tls && certificates),
      ...Object.fromEntries(
        Object.entries(settings ?? {}).map(([key, value]) => [key.replaceAll('_', '-'), value]),
      ),
    };
    return await startLocalServer({
      kind: flavor,
      version,
      via,
      folder,
      password,
      tls,
      user: 'dal',
      database: 'dal',
      stopSignal: 'SIGTERM',
      command: (port) =>
        run(program, [...places, `--datadir=${data}`, ...asFlags({ ...all, port })]),
      isReady: async (port, pid) =>
        // Without the pid file somebody else's server may be the one that answers.
        isOwnPidFile(pidFile, pid) && (await mysqlGreeting('127.0.0.1', port)) !== undefined,
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function initialiseMysql(program: Program, data: string, password: string): Promise<void> {
  const folder = createGuardedFolder('initdb');
  const script = join(folder.path, 'init.sql');
  try {
    const statements = [...accounts(password), rootPassword(password)];
    await writeFile(script, statements.map((text) => `${text};\n`).join(''), { mode: 0o600 });
    const { file, args } = run(program, [
      '--initialize-insecure',
      ...program.places,
      `--datadir=${data}`,
      `--init-file=${script}`,
      '--innodb-redo-log-capacity=16M',
    ]);
    await runProgram(file, args, { timeoutMs: 120_000 });
    // The identity of a server; each copy makes its own.
    await rm(join(data, 'auto.cnf'), { force: true });
  } finally {
    await folder.remove();
  }
}

// What mariadb-install-db does, which is a script with a taste for the places it was installed to.
async function initialiseMariadb(program: Program, data: string, password: string): Promise<void> {
  const { share } = program;
  if (share === undefined) throw new Error(`No files beside ${program.command.at(-1)}.`);
  const names = await readdir(share);
  const scripts = [
    /_system_tables\.sql$/,
    /_performance_tables\.sql$/,
    /_system_tables_data\.sql$/,
    /^maria_add_gis_sp_bootstrap\.sql$/,
    /_sys_schema\.sql$/,
  ].flatMap((pattern) => names.filter((name) => pattern.test(name)));
  const texts = await Promise.all(scripts.map((name) => readFile(join(share, name), 'utf8')));
  await mkdir(data);
  const { file, args } = run(program, [
    '--bootstrap',
    ...program.places,
    `--datadir=${data}`,
    '--enforce-storage-engine=',
    '--max-allowed-packet=8M',
    '--innodb-log-file-size=16M',
  ]);
  const input = [
    'create database if not exists mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n',
    ...texts,
    // Accounts can be made once the tables for them are loaded.
    ...['flush privileges', ...accounts(password), rootPassword(password)].map((s) => `${s};\n`),
  ].join('');
  await runProgram(file, args, { input, timeoutMs: 120_000 });
}

function accounts(password: string): string[] {
  return [
    'CREATE DATABASE dal',
    `CREATE USER 'dal'@'%' IDENTIFIED BY '${password}'`,
    `GRANT ALL PRIVILEGES ON *.* TO 'dal'@'%' WITH GRANT OPTION`,
  ];
}

function rootPassword(password: string): string {
  return `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}'`;
}

async function inspect(command: string[], basedir: string, via: ServerSource): Promise<Program> {
  const [file = '', ...before] = command;
  const words = await runProgram(file, [...before, '--no-defaults', '--version']);
  const version = /Ver (\d+(\.\d+)*)/.exec(words)?.[1] ?? '';
  const flavor = words.includes('MariaDB') ? 'mariadb' : 'mysql';
  const shares = ['share/mariadb', 'share/mysql', 'share'].map((path) => join(basedir, path));
  const share = shares.find((path) => existsSync(join(path, 'charsets', 'Index.xml')));
  const plugins = ['lib/mysql/plugin', 'lib64/mysql/plugin', 'lib/plugin']
    .map((path) => join(basedir, path))
    .find((path) => existsSync(path));
  const places = [
    `--basedir=${basedir}`,
    ...(share ? [`--lc-messages-dir=${share}`, `--character-sets-dir=${share}/charsets`] : []),
    ...(plugins ? [`--plugin-dir=${plugins}`] : []),
  ];
  return { flavor, version, via, command, places, share };
}

function run({ command }: Program, args: readonly string[]): { file: string; args: string[] } {
  const [file = '', ...before] = command;
  // It drops root rights or refuses to start, unless told that root is meant.
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  return { file, args: [...before, '--no-defaults', ...user, ...args] };
}

function isOwnPidFile(pidFile: string, pid: number): boolean {
  try {
    return readFileSync(pidFile, 'utf8').trim() === String(pid);
  } catch {
    return false;
  }
}

function asFlags(settings: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(settings).map(([name, value]) => {
    if (name === 'log-bin' && value === false) return '--skip-log-bin';
    return `--${name}=${typeof value === 'boolean' ? (value ? 'ON' : 'OFF') : value}`;
  });
}
