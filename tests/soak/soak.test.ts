import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { leastSquares } from './resting-state.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, 'main.ts');

/** In a process of its own: the heap of a test runner is not ours to judge. */
async function soakFor(...given: string[]): Promise<{ status: number; said: string }> {
  const args = ['--conditions=@dal/source', main, ...given];
  return run(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } }).then(
    ({ stdout }) => ({ status: 0, said: stdout }),
    ({ code, stdout, stderr }) => ({ status: Number(code), said: `${stdout}${stderr}` }),
  );
}

test(
  'load and faults leave nothing behind: heap, sockets, timers, listeners',
  { timeout: 90_000 },
  async () => {
    const { status, said } = await soakFor('--minutes', '0.25', '--seed', '20261121');
    console.log(said);
    expect(said).toContain('no violation');
    expect(status).toBe(0);
  },
);

test('whatever is never given back is seen', { timeout: 60_000 }, async () => {
  const { status, said } = await soakFor('--minutes', '0.12', '--seed', '7', '--leak');
  expect(said).toMatch(/VIOLATION the heap grows by/);
  expect(said).toMatch(/VIOLATION sockets: \d+ before the start, \d+ after close/);
  expect(said).toMatch(/VIOLATION timers at rest: \d+ at first, \d+ at last/);
  expect(said).toMatch(/VIOLATION listeners at rest: \d+ at first, \d+ at last/);
  expect(status).toBe(1);
});

test('the slope is that of the line', () => {
  expect(
    leastSquares([
      [0, 1],
      [1, 3],
      [2, 5],
      [3, 7],
    ]),
  ).toBeCloseTo(2);
  expect(
    leastSquares([
      [0, 5],
      [1, 4],
      [2, 5],
      [3, 4],
      [4, 5],
    ]),
  ).toBeCloseTo(0);
});
