import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificates } from './certificates.ts';
import { freePort } from './free-port.ts';
import { mysqlGreeting } from './mysql-greeting.ts';
import { postgresGreeting } from './postgres-greeting.ts';
import { type Server, type ServerKind, type ServerOptions, serverUrl } from './server.ts';

interface Image {
  name: string;
  defaultVersion: string;
  port: number;
  /** The program, which is also the user's name with `postgres` and `mysql`. */
  program: string;
  user: string;
  environment: Record<string, string>;
  settings: Record<string, string | number | boolean>;
  certificates: Record<string, string>;
  flag(name: string, value: string | number | boolean): string[];
}

const PASSWORD = 'dal';
const READY_TIMEOUT_MS = 120_000;
const TLS_FOLDER = '/etc/dal-tls';

const mysqlFlag: Image['flag'] = (name, value) => {
  const text = typeof value === 'boolean' ? (value ? 'ON' : 'OFF') : value;
  return [`--${name.replaceAll('_', '-')}=${text}`];
};
const mysqlImage: Omit<Image, 'name' | 'defaultVersion' | 'program' | 'environment'> = {
  port: 3306,
  user: 'mysql',
  settings: {
    'skip-name-resolve': true,
    'max-connections': 200,
    'innodb-flush-log-at-trx-commit': 2,
  },
  certificates: {
    'ssl-ca': `${TLS_FOLDER}/ca.crt`,
    'ssl-cert': `${TLS_FOLDER}/server.crt`,
    'ssl-key': `${TLS_FOLDER}/server.key`,
  },
  flag: mysqlFlag,
};
const IMAGES: Record<ServerKind, Image> = {
  postgres: {
    name: 'postgres',
    defaultVersion: '18',
    port: 5432,
    program: 'postgres',
    user: 'postgres',
    environment: { POSTGRES_USER: 'dal', POSTGRES_PASSWORD: PASSWORD, POSTGRES_DB: 'dal' },
    settings: { fsync: 'off', max_connections: 200 },
    certificates: {
      ssl: 'on',
      ssl_ca_file: `${TLS_FOLDER}/ca.crt`,
      ssl_cert_file: `${TLS_FOLDER}/server.crt`,
      ssl_key_file: `${TLS_FOLDER}/server.key`,
    },
    flag: (name, value) => ['-c', `${name}=${value}`],
  },
  mysql: {
    ...mysqlImage,
    name: 'mysql',
    defaultVersion: '9',
    program: 'mysqld',
    environment: { MYSQL_RANDOM_ROOT_PASSWORD: 'yes', MYSQL_DATABASE: 'dal' },
  },
  mariadb: {
    ...mysqlImage,
    name: 'mariadb',
    defaultVersion: '11',
    program: 'mariadbd',
    environment: { MARIADB_RANDOM_ROOT_PASSWORD: 'yes', MARIADB_DATABASE: 'dal' },
  },
};

/** A server in a container, where a Docker engine answers within a second. */
export async function startDockerServer(
  kind: ServerKind,
  options: ServerOptions,
): Promise<Server | string> {
  if (!(await dockerAnswers())) return 'docker: no engine answers';
  // Loaded only here: it is large, and most runs never need it.
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const image = IMAGES[kind];
  const port = await freePort();
  const { tls, files } = await prepareFiles(kind, options.tls === true);
  const settings = { ...image.settings, ...(tls && image.certificates), ...options.settings };
  const flags = Object.entries(settings).flatMap(([name, value]) => image.flag(name, value));
  const container = await new GenericContainer(
    `${image.name}:${options.version ?? image.defaultVersion}`,
  )
    .withEnvironment(image.environment)
    .withCopyContentToContainer(files)
    .withEntrypoint(['sh', '-c', entrypoint(image), 'sh'])
    .withCommand([image.program, ...flags])
    .withExposedPorts({ container: image.port, host: port })
    .withStartupTimeout(READY_TIMEOUT_MS)
    .start();
  try {
    const versionText = (await container.exec([image.program, '--version'])).output;
    const address = { host: container.getHost(), port, user: 'dal', password: PASSWORD };
    const engine = await getContainerRuntimeClient();
    const handle = engine.container.getById(container.getId());

    // What the container does now, so that each operation may be called at any time.
    let state: 'running' | 'frozen' | 'stopped' | 'closed' = 'running';
    const isReady = (): Promise<boolean> =>
      kind === 'postgres'
        ? postgresGreeting({ ...address, database: 'dal' })
        : mysqlGreeting(address.host, port).then((version) => version !== undefined);
    const untilReady = async (): Promise<void> => {
      const deadline = performance.now() + READY_TIMEOUT_MS;
      while (!(await isReady())) {
        if (performance.now() > deadline) throw new Error(`The ${kind} container does not answer.`);
        await sleep(50);
      }
    };
    const server: Server = {
      kind,
      ...address,
      database: 'dal',
      via: 'docker',
      tls,
      url: serverUrl(kind, { ...address, database: 'dal' }),
      version: /(?:Ver |\) )(\d+(\.\d+)*)/.exec(versionText)?.[1] ?? 'unknown',
      pid: undefined,
      logFile: undefined,
      async start() {
        if (state !== 'stopped') return;
        await handle.start();
        state = 'running';
        await untilReady();
      },
      async stop() {
        await server.thaw();
        if (state !== 'running') return;
        await handle.stop({ t: 20 });
        state = 'stopped';
      },
      async restart() {
        await server.stop();
        await server.start();
      },
      async kill() {
        if (state === 'stopped') return;
        await server.thaw();
        await handle.kill();
        await handle.wait();
        state = 'stopped';
      },
      async freeze() {
        if (state !== 'running') return;
        await handle.pause();
        state = 'frozen';
      },
      async thaw() {
        if (state !== 'frozen') return;
        await handle.unpause();
        state = 'running';
      },
      async close() {
        if (state === 'closed') return;
        state = 'closed';
        await handle.remove({ force: true, v: true });
      },
      [Symbol.asyncDispose]: () => server.close(),
    };
    await untilReady();
    return server;
  } catch (error) {
    await container.stop();
    throw error;
  }
}

// The key has to belong to the user that the image's own entrypoint changes to.
function entrypoint({ user }: Image): string {
  return (
    `if [ -d ${TLS_FOLDER} ]; then chown -R ${user} ${TLS_FOLDER}; ` +
    `chmod 600 ${TLS_FOLDER}/server.key; fi; exec docker-entrypoint.sh "$@"`
  );
}

async function prepareFiles(
  kind: ServerKind,
  wantsTls: boolean,
): Promise<{ tls: Server['tls']; files: { content: string; target: string }[] }> {
  const files: { content: string; target: string }[] = [];
  if (kind !== 'postgres') {
    const content =
      `CREATE USER 'dal'@'%' IDENTIFIED BY '${PASSWORD}';\n` +
      `GRANT ALL PRIVILEGES ON *.* TO 'dal'@'%' WITH GRANT OPTION;\n`;
    files.push({ content, target: '/docker-entrypoint-initdb.d/dal.sql' });
  }
  if (!wantsTls) return { tls: undefined, files };
  const folder = await mkdtemp(join(tmpdir(), 'dal-tls-'));
  try {
    const tls = await makeCertificates(folder);
    for (const name of ['ca.crt', 'server.crt', 'server.key']) {
      const content = await readFile(join(folder, name), 'utf8');
      files.push({ content, target: `${TLS_FOLDER}/${name}` });
    }
    return { tls, files };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Asked first, because testcontainers waits long for an engine that stays silent.
async function dockerAnswers(): Promise<boolean> {
  const named = process.env['DOCKER_HOST'];
  const places = named
    ? [named]
    : [
        '/var/run/docker.sock',
        join(process.env['XDG_RUNTIME_DIR'] ?? '/nonexistent', 'docker.sock'),
        join(homedir(), '.docker/run/docker.sock'),
        join(homedir(), '.docker/desktop/docker.sock'),
      ].filter((path) => existsSync(path));
  const answers = await Promise.all(places.map(ping));
  return answers.includes(true);
}

function ping(place: string): Promise<boolean> {
  const at = /^(?:unix:\/\/)?(\/.*)$/.exec(place);
  const tcp = /^(?:tcp|http):\/\/([^/:]+)(?::(\d+))?/.exec(place);
  if (at === null && tcp === null) return Promise.resolve(false);
  return new Promise((resolve) => {
    const question = request({
      ...(at ? { socketPath: at[1] } : { host: tcp![1], port: tcp![2] ?? 2375 }),
      path: '/_ping',
      signal: AbortSignal.timeout(1_000),
    });
    question.once('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    question.once('error', () => resolve(false));
    question.end();
  });
}
