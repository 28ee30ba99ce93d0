import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { driver as sqlite } from '@dal/sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMigration } from './create-migration.ts';
import { readMigrationFiles } from './migration-files.ts';
import { type Migration, readMigration } from './read-migration.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dal-migrate-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
}

async function read(): Promise<Migration[]> {
  const files = await readMigrationFiles(dir);
  return Promise.all(files.map((file) => readMigration(file, sqlite.dialect)));
}

function texts(part: Migration['up']): string[] | undefined {
  return part?.statements.map(({ text }) => text);
}

describe('a folder', () => {
  test('is read in the order of its numbers; other files are left alone', async () => {
    await write({
      '10_c.sql': 'SELECT 10',
      '2-b.up.sql': 'SELECT 2',
      '2-b.down.sql': 'SELECT -2',
      '0001_a.sql': '-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT -1;',
      '20250101120000_größe für alle.sql': 'SELECT 3',
      '11_code.ts': 'export function up() {}',
      'README.md': '',
      '.hidden.sql': '',
      'types.d.ts': '',
    });
    const found = await read();
    expect(found.map(({ name }) => name)).toEqual([
      '0001_a',
      '2-b',
      '10_c',
      '11_code',
      '20250101120000_größe für alle'.normalize('NFC'),
    ]);
    expect(found.map(({ up }) => texts(up))).toEqual([
      ['SELECT 1'],
      ['SELECT 2'],
      ['SELECT 10'],
      undefined,
      ['SELECT 3'],
    ]);
    expect(found.map(({ down }) => texts(down)?.[0])).toEqual([
      'SELECT -1',
      'SELECT -2',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each([
    [{ '0001_a.sql': '', '1_b.sql': '' }, /"0001_a.sql" and "1_b.sql" have the same number/],
    [{ '0001_a.sql': '', '0001_a.ts': '' }, /have the same number/],
    [{ 'add_users.sql': '' }, /"add_users.sql" is not named like a migration/],
    [{ "0001_'; DROP TABLE users; --.sql": '' }, /is not named like a migration/],
    [{ '0001_a\n\u001b[31mred.sql': '' }, /"0001_a\\n\\u001b\[31mred.sql" is not named/],
    [{ '0001_a.down.sql': '' }, /has no .up.sql beside it/],
    [{ '0001_a.sql': 'SELECT 1', '0001_a.down.sql': '' }, /has no "0001_a.up.sql" beside it/],
    [{ [`1_${'x'.repeat(190)}.sql`]: '' }, /longer than 180/],
  ])('refuses %j', async (files, message) => {
    await write(files);
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.toMatchObject({ code: 'DAL_MIGRATION_FILES', kind: 'usage' });
  });

  test('that is not there is told of', async () => {
    await expect(readMigrationFiles(join(dir, 'nothing'))).rejects.toThrow(/There is no folder/);
  });
});

describe('a file', () => {
  test('has the same checksum and statements with CRLF and a byte order mark', async () => {
    await write({ '1_a.sql': "SELECT 'a\nb';\n", '2_b.sql': "\ufeffSELECT 'a\r\nb';\r\n" });
    const [unix, windows] = await read();
    expect(windows?.checksum).toBe(unix?.checksum);
    expect(texts(windows?.up)).toEqual(texts(unix?.up));
    await write({ '2_b.sql': "SELECT 'a\nb' ;\n" });
    expect((await read())[1]?.checksum).not.toBe(unix?.checksum);
  });

  test.each([
    ['-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;', true, true],
    ['-- dal: no transaction\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;', false, false],
    ['-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\nSELECT 2;', false, true],
    ['-- migrate:up\nSELECT 1;\n-- migrate:down\n-- dal: no transaction\nSELECT 2;', true, false],
    ["-- migrate:up\nSELECT '\n-- dal: no transaction\n';\n-- migrate:down\nSELECT 2;", true, true],
  ])('%j', async (text, up, down) => {
    await write({ '1_a.sql': text });
    const [found] = await read();
    expect([found?.up?.transaction, found?.down?.transaction]).toEqual([up, down]);
  });

  test.each([
    ['', /has no statement/],
    ['-- migrate:down\nSELECT 1', /without "-- migrate:up"/],
    ['SELECT 0;\n-- migrate:up\nSELECT 1', /line 1: a statement stands before/],
    ['-- migrate:up\nSELECT 1;\n-- migrate:up\nSELECT 1', /line 3: a second "-- migrate:up"/],
    ['-- migrate:up\nSELECT 1;\n-- migrate:dwon\nSELECT 1', /line 3: .*did you mean "down"/],
    ['-- migrate:up transaction:no\nSELECT 1', /line 1: .*transaction:false/],
    ['-- dal: no transactions\nSELECT 1', /line 1: .*no transaction/],
  ])('%j is refused', async (text, message) => {
    await write({ '1_a.sql': text });
    await expect(read()).rejects.toThrow(message);
  });

  test('that is not text is refused', async () => {
    await writeFile(join(dir, '1_a.sql'), Buffer.from([0xff, 0xfe, 0x00]));
    await expect(read()).rejects.toThrow(/not UTF-8/);
  });
});

describe('create', () => {
  test('goes on with the numbers of the folder', async () => {
    const made = async (title: string): Promise<string> =>
      (await createMigration(title, { dir, type: 'ts' })).slice(dir.length + 1);
    expect(await made('add users')).toBe('0001_add_users.ts');
    expect(await made('größe')).toBe('0002_größe.ts');
    await write({ '20200101000000_a.sql': 'SELECT 1' });
    expect(await made('later')).toMatch(/^20[2-9]\d{11}_later\.ts$/);
    for (const wrong of ['', '../evil', "a'b", 'a/b', 'a\nb\u0000']) {
      await expect(made(wrong)).rejects.toMatchObject({ code: 'DAL_MIGRATION_FILES' });
    }
  });
});
