import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const ROOT = resolve(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules', '.bin');
const PACKAGES = globSync(['packages/*/package.json', 'packages/*/*/package.json'], {
  cwd: ROOT,
  exclude: (path) => path.endsWith('node_modules'),
}).map((path) => ({ folder: join(ROOT, dirname(path)), manifest: readManifest(join(ROOT, path)) }));

beforeAll(async () => {
  const projects = PACKAGES.map(({ folder }) => join(folder, 'tsconfig.build.json'));
  await run(join(BIN, 'tsc'), ['-b', ...projects], ROOT);
}, 120_000);

describe('a stranger installs @dal/sqlite from npm', () => {
  /** What @dal/sqlite stands on; nothing else of ours may be needed. */
  const packed = ['@dal/core', '@dal/resilience', '@dal/pool', '@dal/database', '@dal/sqlite'];
  let home = '';

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'dal-consumer-'));
    const app = join(home, 'app');
    await mkdir(app);
    const tarballs: Record<string, string> = {};
    for (const name of packed) {
      const file = `${name.replace('@', '').replace('/', '-')}.tgz`;
      await run(join(BIN, 'pnpm'), ['pack', '--out', join(home, file)], folderOf(name));
      tarballs[name] = `file:../${file}`;
    }
    // Only the driver is asked for; the overrides stand in for the registry.
    const { '@dal/sqlite': driver, ...overrides } = tarballs;
    await writeFile(
      join(app, 'package.json'),
      JSON.stringify({ name: 'app', dependencies: { '@dal/sqlite': driver }, overrides }),
    );
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], app);
  }, 120_000);

  afterAll(async () => {
    if (home !== '') await rm(home, { recursive: true, force: true });
  });

  test('a query runs from an ES module', async () => {
    const source = `
      import { sqlite } from '@dal/sqlite';
      const db = sqlite({ path: 'from-esm.db' });
      console.log(await db.queryValue('SELECT 1 + 1'));
      await db.close();
    `;
    expect(await runFile('main.mjs', source)).toEqual({ stdout: '2\n', stderr: '' });
  });

  test('a query runs from CommonJS', async () => {
    const source = `
      const { sqlite } = require('@dal/sqlite');
      (async () => {
        const db = sqlite({ path: 'from-commonjs.db' });
        console.log(await db.queryValue('SELECT 20 + 3'));
        await db.close();
      })();
    `;
    expect(await runFile('main.cjs', source)).toEqual({ stdout: '23\n', stderr: '' });
  });

  test('no other driver comes along', () => {
    const lock = JSON.parse(
      readFileSync(join(home, 'app/node_modules/.package-lock.json'), 'utf8'),
    ) as { packages: Record<string, unknown> };
    const names = Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1));
    expect(names).toContain('better-sqlite3');
    expect(new Set(names.filter((name) => name?.startsWith('@dal/')))).toEqual(new Set(packed));
    for (const other of ['pg', 'pg-cursor', 'mysql2']) expect(names).not.toContain(other);
  });

  test.each(packed)('%s arrives without traces of the workspace', (name) => {
    const folder = join(home, 'app/node_modules', name);
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    expect(text).not.toMatch(/: "(?:workspace|catalog):/);
    expect(JSON.stringify(readManifest(join(folder, 'package.json')).exports)).not.toContain(
      '@dal/source',
    );
    expect(existsSync(join(folder, 'LICENSE'))).toBe(true);
    expect(existsSync(join(folder, 'dist/index.d.ts'))).toBe(true);
    expect(globSync('**/*.test.*', { cwd: join(folder, 'src') })).toEqual([]);
  });

  async function runFile(
    name: string,
    source: string,
  ): Promise<{ stdout: string; stderr: string }> {
    const app = join(home, 'app');
    await writeFile(join(app, name), source);
    return run(process.execPath, [name], app);
  }
});

const entries = PACKAGES.flatMap(({ manifest: { name, exports } }) =>
  Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1)),
);

test.each(entries)('require(%j) works and is silent', async (entry) => {
  // Without the source condition Node takes dist, as it does for a published package.
  const script = `console.log(Object.keys(require(${JSON.stringify(entry)})).length > 0)`;
  expect(await run(process.execPath, ['--eval', script], ROOT)).toEqual({
    stdout: 'true\n',
    stderr: '',
  });
});

test('blocking calls find their worker and the driver in what was built', async () => {
  const script = `
    import { driver } from '@dal/sqlite';
    import { openSyncDatabase } from '@dal/sync';
    const db = openSyncDatabase(driver, 'sqlite::memory:');
    console.log(db.queryValue('SELECT 20 + 22'));
    db.close();
  `;
  expect(await run(process.execPath, ['--input-type=module', '--eval', script], ROOT)).toEqual({
    stdout: '42\n',
    stderr: '',
  });
});

/** Runs a program to its end and fails the test with all of its output when it does not work. */
async function run(
  program: string,
  args: ReadonlyArray<string>,
  cwd: string,
): Promise<{ stdout: string; stderr: string }> {
  const windows = process.platform === 'win32' && program !== process.execPath;
  try {
    // npm, pnpm and tsc are .cmd files on Windows, which only a shell can start.
    return await promisify(execFile)(program, args, {
      cwd,
      env: strangersEnvironment(),
      shell: windows,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (error) {
    const {
      message,
      stdout = '',
      stderr = '',
    } = error as Error & {
      stdout?: string;
      stderr?: string;
    };
    throw new Error([message, stdout, stderr].join('\n'), { cause: error });
  }
}

/** Without what `npm test` hands down: a nested npm would take our root for its own project. */
function strangersEnvironment(): NodeJS.ProcessEnv {
  const inherited =
    /^(?:npm_(?:package|lifecycle)_|npm_config_(?:local_prefix|prefix|user_agent)$|NODE_OPTIONS$|NODE_PATH$|VITEST|FORCE_COLOR$|INIT_CWD$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
}

function folderOf(name: string): string {
  const found = PACKAGES.find(({ manifest }) => manifest.name === name);
  if (found === undefined) throw new Error(`no package is called ${name}`);
  return found.folder;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}
