import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installPacked, type PackageManager } from '../setup/packed-packages.ts';
import { runAsStranger } from '../setup/run-as-stranger.ts';

const YARN = resolve(import.meta.dirname, '../../node_modules/.bin/yarn');
/** Strict managers show a package only what it names itself, and the factory names no driver. */
const PROGRAM = `
  import { createDatabase } from '@dal/factory';
  const db = await createDatabase('sqlite:./shop.db');
  console.log(await db.queryValue('SELECT 20 + 22'));
  const twice = await db.transaction((tx) => tx.queryValue('SELECT 2 * 21'));
  console.log(twice);
  await db.close();
`;

let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-managers-'));
});

afterAll(async () => {
  if (home !== '') await rm(home, { recursive: true, force: true });
});

test.each<{ manager: PackageManager; node: [program: string, ...args: string[]] }>([
  { manager: 'npm', node: [process.execPath] },
  { manager: 'pnpm', node: [process.execPath] },
  { manager: 'yarn', node: [process.execPath] },
  // Without a node_modules folder: packages are read from archives, by a loader of Yarn's.
  { manager: 'yarn-pnp', node: [YARN, 'node'] },
])(
  'what $manager installs finds its driver and runs queries',
  async ({ manager, node }) => {
    const folder = join(home, manager);
    const dependencies = { '@dal/factory': '*', '@dal/sqlite': '*' };
    await installPacked(folder, { dependencies }, { manager });
    await writeFile(join(folder, 'main.mjs'), PROGRAM);
    const [program, ...args] = node;
    expect(await runAsStranger(program, [...args, 'main.mjs'], folder)).toEqual({
      stdout: '42\n42\n',
      stderr: '',
    });
  },
  120_000,
);
