import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Card } from '@dal/testing/conformance';
import { expect } from 'vitest';
import { runAsStranger } from '../setup/run-as-stranger.ts';

/** Runs a package's tests under Node's own runner, and reads the card that its kit wrote. */
export async function runKit(folder: string): Promise<Card> {
  const { stdout } = await runAsStranger(
    process.execPath,
    ['--test', '--test-reporter=tap'],
    folder,
  );
  const passed = Number(/^# pass (\d+)/m.exec(stdout)?.[1]);
  if (!(passed > 100)) throw new Error(`only ${passed} tests passed\n${stdout.slice(-2_000)}`);
  return JSON.parse(readFileSync(join(folder, 'conformance.json'), 'utf8')) as Card;
}

/** The committed card says the same. Where it doesn't, the new one takes its place, for the review. */
export async function expectCard(card: Card | undefined, example: string): Promise<void> {
  const file = join(example, 'conformance.json');
  const text = `${JSON.stringify(card, null, 2)}\n`;
  const before = readFileSync(file, 'utf8');
  if (before !== text && !process.env['CI']) await writeFile(file, text);
  expect(text, `${file} is another one now; then run \`pnpm support\``).toBe(before);
}
