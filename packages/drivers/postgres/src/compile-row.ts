import type { ReadValue } from './postgres-types.ts';

export type MakeRow = (texts: readonly (string | null)[]) => unknown;

/** Rows of more columns are made by the loop: the function would be large, and is hardly faster. */
const MOST_COLUMNS = 100;

/**
 * A function that makes rows of one shape, several times faster than a loop over the names. Undefined
 * where programs may not make code (`--disallow-code-generation-from-strings`).
 *
 * The names of columns come from anywhere. Only their JSON gets into the code, which is a text in
 * JavaScript too, whatever it holds.
 */
export function compileRow(
  names: readonly string[],
  readers: readonly ReadValue[],
): MakeRow | undefined {
  if (names.length > MOST_COLUMNS) return undefined;
  const fields = names.map((name, index) => {
    const key = JSON.stringify(name);
    // As `"__proto__": x` it would be the row's prototype; in brackets it is a name like any other.
    const property = name === '__proto__' ? `[${key}]` : key;
    return `${property}: t[${index}] == null ? null : r${index}(t[${index}])`;
  });
  const parameters = readers.map((_, index) => `r${index}`);
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- see above
    const bind = new Function(...parameters, `return (t) => ({ ${fields.join(', ')} });`) as (
      ...all: readonly ReadValue[]
    ) => MakeRow;
    return bind(...readers);
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}
