import type { Dialect } from './dialect.ts';
import { ConfigError } from './errors.ts';
import { countNative, firstKeyword, spacedPlaceholder } from './placeholders.ts';
import { checkIdentifier, quoteIdentifier } from './quote-identifier.ts';

type Brand = 'statement' | 'identifier' | 'choice' | 'array';

const brand = Symbol.for('dal.sql');

/** A statement or a piece of one, with its values apart from its text; made by `sql`. */
export class Sql {
  /** The text around the parts: always one more than there are parts. */
  readonly strings: readonly string[];
  /** Pieces of SQL, identifiers, or values. */
  readonly parts: readonly unknown[];

  constructor(strings: readonly string[], parts: readonly unknown[]) {
    this.strings = strings;
    this.parts = parts;
  }

  static {
    setBrand(this.prototype, 'statement');
  }
}

/** What `sql.id()` gives: a name, quoted by the dialect when the statement is sent. */
export class SqlIdentifier {
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    this.names = names;
  }

  static {
    setBrand(this.prototype, 'identifier');
  }
}

/** Text that differs between engines with array values and those without. */
class SqlChoice {
  readonly arrays: string;
  readonly otherwise: string;

  constructor(arrays: string, otherwise: string) {
    this.arrays = arrays;
    this.otherwise = otherwise;
  }

  static {
    setBrand(this.prototype, 'choice');
  }
}

/** What `sql.array()` gives: a list that is one value. */
export class SqlArray {
  readonly list: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.list = items;
  }

  static {
    setBrand(this.prototype, 'array');
  }
}

export interface SqlTag {
  /**
   * A statement whose values never reach its text.
   *
   * `${value}` is a parameter, `${list}` a parameter for each item (`IN (${ids})`), and `sql` pieces
   * are put in as SQL. An empty list inside `IN (...)` matches nothing, inside `NOT IN (...)`
   * everything; elsewhere it is refused. A `?` in the text is the engine's own.
   *
   * @throws ConfigError for undefined, functions, symbols and lists of lists
   */
  (strings: TemplateStringsArray, ...parts: readonly unknown[]): Sql;
  /** A name in the engine's quotes; more than one are joined by dots: `sql.id('shop', 'orders')`. */
  id(...names: readonly string[]): SqlIdentifier;
  /** The text as it is. NEVER from a user: nothing protects it. */
  raw(text: string): Sql;
  /** Pieces or values one after another. @throws ConfigError for an empty list */
  join(items: readonly unknown[], separator?: Sql): Sql;
  /** Rows for INSERT: `VALUES ${sql.values([[1, 'a'], [2, 'b']])}`. */
  values(rows: readonly (readonly unknown[])[]): Sql;
  /** The list as one array value, for engines that have them: `= ANY(${sql.array(ids)})`. */
  array(list: readonly unknown[]): SqlArray;
}

export const sql: SqlTag = Object.assign(template, { id, raw, join, values, array });

/** True for what `sql` made, also in another copy of the package. */
export function isSql(value: unknown): value is Sql {
  return brandOf(value) === 'statement';
}

export interface RenderedSql {
  /** With the engine's own placeholders and quotes. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** The first word in capitals, such as `SELECT`; empty when there is none. */
  readonly operation: string;
}

/**
 * The statement for one engine.
 *
 * @throws ConfigError when a `${}` stands inside quotes or a comment, and for too many values
 */
export function renderSql(statement: Sql, dialect: Dialect): RenderedSql {
  const isFlat = statement.parts.every((part) => brandOf(part) === undefined);
  const known = isFlat ? flatTexts.get(statement.strings) : undefined;
  if (known?.dialect === dialect) return { ...known.rendered, values: statement.parts };

  const { text, values: parameters } = write(statement, dialect);
  const { parameters: limit } = dialect.limits;
  const given = parameters.length === 1 ? '1 value' : `${parameters.length} values`;
  if (parameters.length > limit) {
    throw refusal(`The statement has ${given}, and ${dialect.name} takes ${limit}: send batches`);
  }
  const marks = countNative(text, dialect);
  if (marks !== parameters.length) {
    const why = 'is a ${} inside quotes or a comment, or a placeholder in the text?';
    throw refusal(`The statement has ${given} and ${marks} places for them: ${why}`);
  }
  const operation = firstKeyword(text, dialect.lexis);
  // The strings of a template are one object for each place in the program, so they are few.
  if (isFlat) flatTexts.set(statement.strings, { dialect, rendered: { text, operation } });
  return { text, values: parameters, operation };
}

interface FlatText {
  readonly dialect: Dialect;
  readonly rendered: Omit<RenderedSql, 'values'>;
}

const flatTexts = new WeakMap<readonly string[], FlatText>();

/** With a stack of its own: a statement built piece by piece in a loop is nested as deep as it is long. */
function write(root: Sql, dialect: Dialect): { text: string; values: readonly unknown[] } {
  const parameters: unknown[] = [];
  const open: { piece: Sql; next: number }[] = [{ piece: root, next: 0 }];
  let text = '';
  // A placeholder is kept apart from the words around it. The last character is remembered, since
  // asking the text for it would join all its pieces again each time.
  let last: number | undefined;
  let afterMark = false;

  const add = (piece: string): void => {
    if (piece === '') return;
    last = piece.charCodeAt(piece.length - 1);
    text += afterMark ? spacedPlaceholder('', undefined, piece.charCodeAt(0)) + piece : piece;
    afterMark = false;
  };

  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    const { piece, next } = frame;
    add(piece.strings[next] ?? '');
    frame.next += 1;
    if (next >= piece.parts.length) {
      open.pop();
      continue;
    }
    const part = piece.parts[next];
    switch (brandOf(part)) {
      case 'statement':
        open.push({ piece: part as Sql, next: 0 });
        break;
      case 'identifier':
        add((part as SqlIdentifier).names.map((name) => quoteIdentifier(name, dialect)).join('.'));
        break;
      case 'choice':
        add(dialect.arrays ? (part as SqlChoice).arrays : (part as SqlChoice).otherwise);
        break;
      case 'array':
      case undefined: {
        parameters.push(brandOf(part) === 'array' ? (part as SqlArray).list : part);
        add(spacedPlaceholder(dialect.placeholder(parameters.length), last, undefined));
        afterMark = true;
      }
    }
  }
  return { text, values: parameters };
}

function template(strings: TemplateStringsArray, ...parts: readonly unknown[]): Sql {
  if (!Array.isArray(strings) || !Array.isArray(strings.raw)) {
    throw refusal('sql is a tag: write sql`...` without parentheses, or sql.raw() for made text');
  }
  if (strings.some((text) => text === undefined)) {
    throw refusal('The text of sql`...` holds a backslash that JavaScript does not know');
  }
  if (!parts.some(Array.isArray)) {
    parts.forEach(checkPart);
    return new Sql(strings, parts);
  }
  const texts = [...strings];
  const pieces = parts.map((part, index) => {
    if (!Array.isArray(part)) return checkPart(part, index);
    if (part.length > 0) return list(part, `\${${index + 1}}`);
    const { before, choice } = emptyList(texts[index] ?? '', texts[index + 1] ?? '', index);
    texts[index] = before;
    return choice;
  });
  return new Sql(texts, pieces);
}

/**
 * Standard SQL has no empty list. `IN (NULL)` would make NOT IN match nothing, and PostgreSQL
 * compares no number with `SELECT NULL`; an empty array takes the type of what it is compared with.
 */
function emptyList(
  text: string,
  behind: string,
  index: number,
): { readonly before: string; readonly choice: SqlChoice } {
  const parenthesis = text.trimEnd();
  const word = parenthesis.slice(0, -1).trimEnd();
  const left = cutWord(word, 'IN');
  if (!parenthesis.endsWith('(') || left === undefined || !behind.trimStart().startsWith(')')) {
    throw refusal(
      `The list at \${${index + 1}} is empty, which means something only as IN (\${list})`,
    );
  }
  const beforeNot = cutWord(left.trimEnd(), 'NOT');
  const choice =
    beforeNot === undefined
      ? new SqlChoice("= ANY ('{}'", 'IN (SELECT NULL WHERE 1 = 0')
      : new SqlChoice("<> ALL ('{}'", 'NOT IN (SELECT NULL WHERE 1 = 0');
  return { before: beforeNot ?? left, choice };
}

/** The text without the word at its end; undefined when it ends otherwise. */
function cutWord(text: string, word: string): string | undefined {
  const rest = text.slice(0, -word.length);
  if (text.length < word.length || text.slice(rest.length).toUpperCase() !== word) return undefined;
  return /[\w$\u0080-\uffff]$/.test(rest.slice(-1)) ? undefined : rest;
}

function list(items: readonly unknown[], where: string): Sql {
  for (const item of items) {
    if (Array.isArray(item)) {
      throw refusal(
        `The list at ${where} holds a list; use sql.values() for rows, sql.array() for an array value`,
      );
    }
    checkValue(item, where);
  }
  return new Sql(commas(items.length), items);
}

function id(...names: readonly string[]): SqlIdentifier {
  if (names.length === 0) throw refusal('sql.id() needs a name');
  names.forEach(checkIdentifier);
  return new SqlIdentifier(names);
}

function raw(text: string): Sql {
  if (typeof text !== 'string') throw refusal(`sql.raw() takes a string, not ${typeof text}`);
  return new Sql([text], []);
}

function join(items: readonly unknown[], separator: Sql = COMMA): Sql {
  if (!Array.isArray(items) || items.length === 0) {
    throw refusal('sql.join() was given nothing to join; say what stands there instead');
  }
  if (!isSql(separator)) throw refusal('The separator of sql.join() must be sql`...`');
  const parts: unknown[] = [];
  for (const item of items) {
    if (Array.isArray(item)) throw refusal('sql.join() takes pieces and values, not lists');
    checkValue(item, 'sql.join()');
    if (parts.length > 0) parts.push(separator);
    parts.push(item);
  }
  return new Sql(Array<string>(parts.length + 1).fill(''), parts);
}

function values(rows: readonly (readonly unknown[])[]): Sql {
  const width = rows[0]?.length ?? 0;
  if (width === 0) throw refusal('sql.values() needs one row or more, with one value or more');
  const pieces = rows.map((row, index) => {
    const where = `row ${index + 1} of sql.values()`;
    if (!Array.isArray(row) || row.length !== width) {
      throw refusal(`${where} must be a list of ${width} values, as the first one is`);
    }
    const { strings, parts } = list(row, where);
    return new Sql([`(${strings[0]}`, ...strings.slice(1, -1), ')'], parts);
  });
  return new Sql(commas(pieces.length), pieces);
}

function array(items: readonly unknown[]): SqlArray {
  if (!Array.isArray(items)) throw refusal('sql.array() takes a list');
  return new SqlArray(items);
}

const COMMA: Sql = new Sql([', '], []);

/** Texts around `count` parts with commas between them. */
function commas(count: number): string[] {
  const texts = Array<string>(count + 1).fill(', ');
  texts[0] = '';
  texts[count] = '';
  return texts;
}

function checkPart(part: unknown, index: number): unknown {
  checkValue(part, `\${${index + 1}}`);
  return part;
}

function checkValue(value: unknown, where: string): void {
  if (value === undefined) {
    throw refusal(`The value at ${where} is undefined; use null for SQL NULL`);
  }
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw refusal(`The value at ${where} is a ${typeof value}, which no database can hold`);
  }
}

/** A symbol cannot come out of JSON, so no user input passes for SQL. */
function brandOf(value: unknown): Brand | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as { readonly [brand]?: Brand })[brand];
}

/** Not a declared member: a symbol of this file would have no name in the types of the package. */
function setBrand(prototype: object, name: Brand): void {
  Object.defineProperty(prototype, brand, { value: name });
}

function refusal(what: string): ConfigError {
  const message = what.endsWith('?') ? what : `${what}.`;
  return new ConfigError(message, { kind: 'usage', code: 'DAL_SQL' });
}
