import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileRow } from './compile-row.ts';
import { postgresTypes } from './postgres-types.ts';
import { readObject, rowShape } from './row-shape.ts';

const types = postgresTypes();
const TEXT = 25;

/** The row as the loop makes it, and as the compiled function does. */
function bothWays(names: readonly string[], texts: readonly (string | null)[]): unknown[] {
  const shape = rowShape(
    names.map((name) => ({
      name,
      tableID: 0,
      columnID: 0,
      dataTypeID: TEXT,
      dataTypeSize: -1,
      dataTypeModifier: -1,
      format: 'text',
    })),
    types,
  );
  const first = readObject(shape, texts);
  for (let round = 0; round < 200; round++) readObject(shape, texts);
  expect(shape.make).toBeDefined();
  return [first, readObject(shape, texts)];
}

test.for([
  [['id', 'name', 'nothing']],
  [['same', 'other', 'same']],
  [['10', '2', 'a', '-1', '']],
  [['__proto__', 'constructor', 'toString', 'prototype']],
  [['"', '\\', '\n', '\u2028\u2029', '\uD800', '${x}', '`', "'", '*/', '//', '\0']],
  [['"]: 0 }), globalThis.injected = true, ({ ["', 'x": 0 }); globalThis.injected = true; ({ "y']],
  [[]],
])('%j are names like any others', ([names]) => {
  const texts = names!.map((_, index) => (index === 2 ? null : `value ${index}`));
  const [looped, compiled] = bothWays(names!, texts);
  expect(compiled).toEqual(looped);
  expect(Object.keys(compiled as object)).toEqual(Object.keys(looped as object));
  expect(Object.getOwnPropertyDescriptors(compiled)).toEqual(
    Object.getOwnPropertyDescriptors(looped),
  );
  expect(Object.getPrototypeOf(compiled)).toBe(Object.prototype);
  expect(globalThis).not.toHaveProperty('injected');
});

test('no name of random characters breaks out', () => {
  const pieces = [
    '"',
    "'",
    '`',
    '\\',
    '\n',
    '\r',
    '\u2028',
    '${',
    '}',
    ']',
    ')',
    ';',
    'a',
    '/*',
    '//',
  ];
  for (let round = 0; round < 300; round++) {
    const names = Array.from({ length: 3 }, (_, column) =>
      Array.from({ length: 12 }, (__, at) => pieces[(round * 7 + column * 5 + at * at) % 15]).join(
        '',
      ),
    );
    const row = compileRow(names, [String, String, String])!(['1', '2', '3']);
    expect(row).toEqual(Object.fromEntries(names.map((name, index) => [name, `${index + 1}`])));
  }
});

test('a row with too few fields has nulls', () => {
  const [looped, compiled] = bothWays(['a', 'b'], ['1']);
  expect(compiled).toEqual({ a: '1', b: null });
  expect(compiled).toEqual(looped);
});

test('a very wide row is left to the loop', () => {
  const names = Array.from({ length: 101 }, (_, index) => `c${index}`);
  expect(
    compileRow(
      names,
      names.map(() => String),
    ),
  ).toBeUndefined();
});

test('where no code may be made, the loop goes on', () => {
  const module = fileURLToPath(new URL('compile-row.ts', import.meta.url));
  const program = `import { compileRow } from ${JSON.stringify(module)}; console.log(compileRow(['a'], [String]));`;
  const said = execFileSync(
    process.execPath,
    [
      '--disallow-code-generation-from-strings',
      '--experimental-strip-types',
      '--no-warnings',
      '--input-type=module',
      '--eval',
      program,
    ],
    { encoding: 'utf8' },
  );
  expect(said.trim()).toBe('undefined');
});
