import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '@dal/factory';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT, runCommandLine } from './command-line.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dal-migrate-'));
});
afterEach(() => rm(home, { recursive: true }));

const url = (): string => `sqlite:${join(home, 'app.db')}`;

/** One command on a database of its own. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCommandLine([...args, '--url', url(), '--dir', home], {
    signal: new AbortController().signal,
    print: (text) => (out += `${text}\n`),
    report: (text) => (err += `${text}\n`),
  });
  return { code, out, err };
}

async function tables(): Promise<string[]> {
  await using db = await createDatabase(url());
  return (await db.schema.tables()).map(({ name }) => name);
}

const FILE = '-- migrate:up\nCREATE TABLE a (id INT);\n-- migrate:down\nDROP TABLE a;';

// Each command starts SQLite in a process of its own.
// Node runs the sources as they are from 22.18 on.
describe.skipIf(!process.features.typescript)('the command line', { timeout: 60_000 }, () => {
  test('check, up, status, down, and what each ends with', async () => {
    await writeFile(join(home, '1_a.sql'), FILE);
    expect(await run('check', '--json')).toMatchObject({
      code: EXIT.pending,
      out: '{"problems":[],"pending":["1_a"]}\n',
    });
    const dry = await run('up', '--dry-run');
    expect(dry).toMatchObject({ code: EXIT.done, err: '' });
    expect(dry.out).toBe('-- would run up: "1_a.sql"\nCREATE TABLE a (id INT);\n');
    expect(await tables()).toEqual([]);

    expect(await run('up')).toMatchObject({ code: EXIT.done, out: '1 migration done\n' });
    expect(await run('check')).toMatchObject({ code: EXIT.done });
    await writeFile(join(home, '1_a.sql'), FILE.replace('INT', 'BIGINT'));
    expect((await run('status')).out).toMatch(/^changed {3}1_a {2}\d{4}-.*Z\n$/);
    expect((await run('check', '--json')).code).toBe(EXIT.failed);
    const changed = await run('up', '--json');
    expect(changed.code).toBe(EXIT.failed);
    expect(JSON.parse(changed.out)).toMatchObject({
      error: { code: 'DAL_MIGRATION_CHANGED', migration: '1_a' },
    });
    expect(await run('resolve', '1_a', 'applied')).toMatchObject({ code: EXIT.done });
    expect(await run('down')).toMatchObject({ code: EXIT.done, out: '1 migration done\n' });
    expect(await tables()).toEqual(['dal_migrations']);
  });

  test('words that are no commands or options are refused, with the likely ones', async () => {
    for (const [args, advice] of [
      [['statsu'], 'Did you mean "status"?'],
      [['up', '--dryrun'], 'Did you mean "--dry-run"?'],
      [['resolve', '1_a', 'maybe'], 'applied, pending'],
      [['up', 'twice'], '"up" takes no further words'],
      [['create'], '"create" needs a name'],
      [['up', '--steps', '2'], '--steps is for "down"'],
    ] as const) {
      const { code, out, err } = await run(...args);
      expect({ code, out }).toEqual({ code: EXIT.usage, out: '' });
      expect(err).toContain(advice);
    }
    expect((await run('--help')).out).toContain('dal-migrate <command>');
    expect(await tables()).toEqual([]);
  });

  test('a file with a hostile name is refused, and shown without its codes', async () => {
    await writeFile(join(home, "1_x'); DROP TABLE t; --\u001b[31m.sql"), 'SELECT 1');
    const { code, err } = await run('up');
    expect(code).toBe(EXIT.failed);
    expect(err).toContain(
      '"1_x\'); DROP TABLE t; --\\u001b[31m.sql" is not named like a migration',
    );
    expect(err).not.toContain('\u001b');
    expect(await tables()).toEqual([]);
  });
});
