import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('otel-beside-program.ts', import.meta.url));

interface Report {
  readonly paths: readonly string[];
  readonly traces: number;
  readonly warnings: readonly string[];
  readonly pools?: Readonly<Record<'dal' | 'pg', Readonly<Record<string, object>>>>;
}

/** What the program says, which uses the instrumentations of the drivers' libraries too. */
async function run(url: string): Promise<Report> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@dal/source', PROGRAM, url],
    { timeout: 25_000, killSignal: 'SIGKILL' },
  );
  return JSON.parse(stdout) as Report;
}

const engines = inject('engines').filter(({ name }) => name === 'postgres' || name === 'mysql');

describe.each(engines)('$name, beside the instrumentation of its library', ({ name, url }) => {
  test('spans nest as ever, and one warning says that there may be two of each', async () => {
    const { paths, traces, warnings, pools } = await run(url);
    expect(traces).toBe(1);
    const begin = name === 'mysql' ? 'START' : 'BEGIN';
    for (const path of [
      'request > SELECT',
      'request > TRANSACTION',
      `request > TRANSACTION > ${begin}`,
      'request > TRANSACTION > SELECT',
      'request > TRANSACTION > COMMIT',
    ]) {
      expect(paths).toContain(path);
    }
    expect(warnings).toEqual(['DAL_DOUBLE_SPANS']);
    // Theirs know nothing of transactions.
    if (name === 'mysql') expect(paths).toContain('request > COMMIT');
    if (!pools) return;
    expect(pools.dal).toMatchObject({
      small: { idle: 0, used: 2, limit: 2 },
      large: { idle: 0, used: 3, limit: 5 },
    });
    // To instrumentation-pg both pools are one, and it has not counted what is lent.
    expect(Object.values(pools.pg)).toHaveLength(1);
    expect(Object.values(pools.pg)[0]).toMatchObject({ limit: 7 });
    expect(Object.values(pools.pg)[0]).not.toMatchObject({ used: 5 });
  });
});
