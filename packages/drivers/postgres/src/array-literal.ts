import { ConfigError } from '@dal/core';

/** PostgreSQL's own limit of dimensions. */
const MAX_DEPTH = 6;

/** Reads `{1,NULL,{"a\"b"}}`, also with bounds in front (`[0:1]={1,2}`). */
export function arrayFromText(literal: string, item: (text: string) => unknown): unknown[] {
  let at = literal.startsWith('[') ? literal.indexOf('=') + 1 : 0;
  return list();

  function list(): unknown[] {
    const items: unknown[] = [];
    at++;
    if (literal[at] === '}') {
      at++;
      return items;
    }
    do items.push(element());
    while (literal[at++] === ',');
    return items;
  }

  function element(): unknown {
    if (literal[at] === '{') return list();
    if (literal[at] === '"') return item(quoted());
    const start = at;
    while (at < literal.length && literal[at] !== ',' && literal[at] !== '}') at++;
    const word = literal.slice(start, at);
    return word === 'NULL' ? null : item(word);
  }

  function quoted(): string {
    let value = '';
    let start = ++at;
    for (; at < literal.length && literal[at] !== '"'; at++) {
      if (literal[at] !== '\\') continue;
      value += literal.slice(start, at);
      start = ++at;
    }
    value += literal.slice(start, at);
    at++;
    return value;
  }
}

/**
 * Writes a list as an array literal; `scalar` gives the text of an item.
 *
 * @throws ConfigError when lists are nested deeper than PostgreSQL can hold
 */
export function arrayToText(
  items: readonly unknown[],
  scalar: (value: unknown) => string,
  depth = 1,
): string {
  if (depth > MAX_DEPTH) {
    throw new ConfigError(
      `A list in the values is nested deeper than ${MAX_DEPTH} levels, which PostgreSQL can't hold. Nothing was sent.`,
      { kind: 'usage', code: 'DAL_VALUE' },
    );
  }
  let literal = '{';
  for (let index = 0; index < items.length; index++) {
    if (index > 0) literal += ',';
    const value = items[index];
    if (value === null || value === undefined) literal += 'NULL';
    else if (Array.isArray(value)) literal += arrayToText(value, scalar, depth + 1);
    else if (typeof value === 'number' || typeof value === 'bigint') literal += scalar(value);
    else literal += `"${scalar(value).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  }
  return `${literal}}`;
}
