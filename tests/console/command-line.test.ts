// `npx @dal/console <url>`, as a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createDatabase } from '@dal/factory';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { ask, tokenOf, watchFor } from './ask.ts';
import { stuckOn } from './stuck-statement.ts';

const MAIN = join(import.meta.dirname, '../../packages/features/console/src/main.ts');
const engines = inject('engines');
const undo: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const program = spawn(process.execPath, ['--conditions=@dal/source', MAIN, ...args], {
    env: { ...process.env, DATABASE_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(program, 'close') as Promise<[number | null]>;
  undo.push(() => {
    program.kill('SIGKILL');
    return ended;
  });
  let words = '';
  program.stderr.on('data', (piece: Buffer) => (words += piece.toString()));
  return { program, ended, words: () => words };
}

/** Where the page is, by what the program says. */
async function addressOf({ program, words }: ReturnType<typeof run>): Promise<string> {
  for await (const line of createInterface({ input: program.stdout })) {
    const [, address] = /^The console is at (\S+)\/$/.exec(line) ?? [];
    if (address) return address;
  }
  throw new Error(`It ended: ${words()}`);
}

test.each(engines.slice(-1))(
  '$name: serves the page until it is told to end',
  async ({ url: database }) => {
    const console = run(['--port', '0'], { DATABASE_URL: database });
    const url = await addressOf(console);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await ask(`${url}/`)).status).toBe(200);
    const { mayAct } = await watchFor(url, () => true);
    expect(mayAct).toBe(false);
    console.program.kill('SIGTERM');
    expect(await console.ended).toEqual([0, null]);
    expect(console.words()).toBe('');
  },
);

describe.each(engines.filter(({ name }) => name !== 'sqlite'))('$name', ({ url: database }) => {
  test('shows what other programs run there, without values, and stops it', async () => {
    await using db = await createDatabase(database, { statementTimeoutMs: 90_000 });
    await using witness = await createDatabase(database, { shared: false });
    const { text, isRunning } = stuckOn(database);
    const [select, mark] = text.split('/*') as [string, string];
    const ended = db.query(`${select}, 's3cret' AS note /*${mark}`).catch(() => []);
    await expect.poll(() => isRunning(witness)).toBe(true);
    const console = run([database, '--port', '0', '--actions']);
    const url = await addressOf(console);

    const ours = ({ text: shown }: { text: string }): boolean => /SLEEP.*AS note/i.test(shown);
    const { snapshot } = await watchFor(url, ({ snapshot: { running } }) => running.some(ours));
    expect(snapshot.verdict.sentence).toMatch(/^The server runs .* of other programs/);
    expect(JSON.stringify(snapshot)).not.toContain('s3cret');
    const row = snapshot.running.find(ours);
    expect(row?.kind).toBe('server');
    const headers = { origin: url, 'x-dal-token': await tokenOf(url) };
    const wish = { method: 'POST', body: JSON.stringify({ stop: [row?.id] }) };
    expect((await ask(`${url}/stop`, headers, wish)).text).toBe('{"stopped":1}');
    await expect.poll(() => isRunning(witness)).toBe(false);
    await ended;
  });
});

test('wrong use is told in a line, without what was given', async () => {
  for (const [args, words] of [
    [['postgres://u:s3cret@localhost/x', 'postgres://u:s3cret@localhost/y'], 'It takes one URL.'],
    [['--prot', '80', 'sqlite::memory:'], 'Did you mean "--port"?'],
    [['--port', 's3cret'], '--port must be a whole number'],
    [['nonsense://u:s3cret@localhost/x'], 'nonsense'],
  ] as const) {
    const console = run(args);
    const [code] = await console.ended;
    expect(code).toBeGreaterThan(0);
    expect(console.words()).toContain(words);
    expect(console.words()).not.toContain('s3cret');
    expect(console.words().trim().split('\n')).toHaveLength(1);
  }
});
