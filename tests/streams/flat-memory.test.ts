import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

const run = promisify(execFile);

/** What a stream may need beyond what it needed for the first half of its rows. */
const GROWTH_MB = 32;

/** All of it: DAL_STREAM_ROWS=5000000. */
const asked = Number(process.env['DAL_STREAM_ROWS'] ?? 0);

interface Seen {
  readonly rows: number;
  readonly settledMb: number;
  readonly peakMb: number;
  readonly seconds: number;
}

async function readRows(url: string, count: number, how: 'stream' | 'query'): Promise<Seen> {
  const program = join(import.meta.dirname, 'stream-child.ts');
  const { stdout } = await run(process.execPath, [
    '--conditions=@dal/source',
    program,
    url,
    String(count),
    how,
  ]);
  return JSON.parse(stdout) as Seen;
}

describe.each(inject('engines'))('$name', ({ name, url }) => {
  const count = asked || (name === 'postgres' ? 1_000_000 : 300_000);

  test('memory stays flat, however many rows are streamed', { timeout: 600_000 }, async () => {
    const { rows, settledMb, peakMb, seconds } = await readRows(url, count, 'stream');
    console.log(
      `${name}: ${rows} rows in ${seconds.toFixed(1)} s, peak RSS ${Math.round(peakMb)} MiB, ` +
        `${Math.round(peakMb - settledMb)} MiB above its first half`,
    );
    expect(rows).toBe(count);
    expect(peakMb - settledMb).toBeLessThan(GROWTH_MB);
  });
});

test('what is measured can tell: all rows at once are not flat', { timeout: 60_000 }, async () => {
  const [engine] = inject('engines');
  const { rows, settledMb, peakMb } = await readRows(engine?.url ?? '', 300_000, 'query');
  expect(rows).toBe(300_000);
  expect(peakMb - settledMb).toBeGreaterThan(GROWTH_MB);
});
