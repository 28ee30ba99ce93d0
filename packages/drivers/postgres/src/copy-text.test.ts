import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyText } from './copy-text.ts';
import { encodeValues } from './postgres-types.ts';

async function* batched(...batches: unknown[][][]): AsyncGenerator<unknown[][]> {
  yield* batches;
}

async function textOf(...batches: unknown[][][]): Promise<string> {
  let text = '';
  for await (const chunk of copyText(batched(...batches))) text += chunk.toString();
  return text;
}

/** Reads the text format by its own rules in the manual of PostgreSQL. */
function fieldsOf(line: string): (string | null)[] {
  return line.split('\t').map((field) => {
    if (field === String.raw`\N`) return null;
    const letters: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
    return field.replaceAll(/\\(.)/g, (_, letter: string) => letters[letter] ?? letter);
  });
}

test('a row is a line, with tabs between its values', async () => {
  expect(await textOf([[1, 'a']], [[2, null]])).toBe('1\ta\n2\t\\N\n');
  expect(await textOf()).toBe('');
});

test('every kind of value has the text that it has in a statement', async () => {
  const values = [-0, 0, NaN, Infinity, -Infinity, 1e300, 0.1, 2n ** 80n, -1n, true, false, null];
  values.push(undefined as never);
  const others = [
    new Date('2024-02-29T12:34:56.789Z'),
    new Date('-000044-03-15T00:00:00Z'),
    ['a"b', null, 'c\\d', 1, '\t\n'],
    [[1, 2], [3, 4]], // prettier-ignore
    [Buffer.from([0, 255])],
    '\\N',
    '\\.',
    '',
    '🚀\u0001',
  ];
  const all = [...values, ...others];
  const line = (await textOf([all])).slice(0, -1);
  expect(fieldsOf(line)).toEqual(encodeValues(all));
  const bytes = Buffer.from([0, 92, 110, 10, 255]);
  expect(fieldsOf((await textOf([[bytes]])).trimEnd())).toEqual([`\\x${bytes.toString('hex')}`]);
});

test('any text comes back as it was', async () => {
  const text = fc.string({ unit: fc.constantFrom('\\', 'n', 'N', '\n', '\r', '\t', '.', 'é', '') });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(text, { minLength: 2, maxLength: 2 })), async (rows) => {
      const lines = (await textOf(rows)).split('\n').slice(0, -1);
      expect(lines.map(fieldsOf)).toEqual(rows);
    }),
  );
});

test('small rows leave together, in chunks of 64 KiB', async () => {
  const sizes: number[] = [];
  const rows = Array.from({ length: 50_000 }, (_, id) => [id, 'x']);
  for await (const chunk of copyText(batched(rows))) sizes.push(chunk.length);
  expect(sizes.length).toBeLessThan(8);
  expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(65_536);
});
