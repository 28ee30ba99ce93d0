import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDriver } from './create-driver.ts';
import { CreateError } from './create-error.ts';
import { checkPackageName, driverNames } from './driver-names.ts';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-create-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

test('a name has its forms everywhere, and nothing of the template stays', async () => {
  const folder = join(home, 'server');
  const plan = { driver: 'sql-server', packageName: '@acme/dal-sql-server', folder };
  const { files } = await createDriver(plan);
  expect(files).toContain('src/sql-server-connection.ts');
  expect(globSync('src/*.ts', { cwd: folder })).toHaveLength(7);
  for (const file of ['.gitignore', '.github/workflows/ci.yml', 'package.json', 'tsconfig.json']) {
    expect(existsSync(join(folder, file)), file).toBe(true);
  }
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  expect(texts).not.toMatch(/the-?vendor/i);
  expect(texts).toContain('class SqlServerConnection');
  expect(texts).toContain('export function sqlServer(');
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as object;
  expect(manifest).toMatchObject({
    name: '@acme/dal-sql-server',
    scripts: { test: 'node --test' },
  });
});

test('a folder with files in it is named and left alone; an empty one will do', async () => {
  const folder = join(home, 'taken');
  await mkdir(folder);
  await createDriver({ driver: 'oracle', folder });
  const mine = join(folder, 'src/index.ts');
  await writeFile(mine, 'mine');
  const again = createDriver({ driver: 'oracle', folder });
  await expect(again).rejects.toThrow(/taken is not empty \(.+\)\. Give another folder with --dir/);
  expect(readFileSync(mine, 'utf8')).toBe('mine');
  await expect(createDriver({ driver: 'oracle', folder: mine })).rejects.toThrow(CreateError);
});

test.each([
  ['Oracle DB', 'oracle-db'],
  ['sqlServer', 'sql-server'],
  ['dal-oracle', 'oracle'],
  ['@acme/dal-oracle', 'acme-dal-oracle'],
  ['1two', 'two'],
  ['sqlite', 'my-sqlite'],
  ['../evil', 'evil'],
])('%j is refused, and %j proposed', (given, likely) => {
  expect(() => driverNames(given)).toThrow(`Did you mean "${likely}"?`);
  expect(driverNames(likely).kebab).toBe(likely);
});

test.each([
  ['Dal Oracle', 'oracle'],
  ['@Acme/Oracle', '@acme/oracle'],
])('the package name %j is refused, and %j proposed', (given, likely) => {
  expect(() => checkPackageName(given)).toThrow(`Did you mean "${likely}"?`);
  expect(checkPackageName(likely)).toBe(likely);
});

test.each(['', '-', 'x'.repeat(33), '__proto__x'.repeat(40)])('%j is refused', (given) => {
  expect(() => driverNames(given)).toThrow(CreateError);
});
