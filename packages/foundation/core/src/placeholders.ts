import type { Dialect, Lexis } from './dialect.ts';
import { ConfigError } from './errors.ts';

/** A statement's text as the engine wants it. */
export interface NativeText {
  readonly text: string;
  /** How many `?` were parameters, so how many values it takes. */
  readonly count: number;
  /** The text held numbered marks of the engine's own (`$1`), which only `placeholders: 'native'` binds. */
  readonly native: boolean;
  /** The first word in capitals, such as `SELECT`; empty when there is none. */
  readonly operation: string;
}

/**
 * Rewrites every `?` to the engine's own placeholder, in one pass over the text.
 *
 * Strings, quoted identifiers and comments stay as they are. `??` is a literal `?`, for operators
 * such as PostgreSQL's `?`, `?|` and `?&`: write `data ?? 'key'`, `data ??| ?`.
 *
 * @throws ConfigError for `?1`, for `?` beside `$1`, for NUL, and for `??` where `?` is no operator
 */
export function toNative(text: string, dialect: Dialect): NativeText {
  let cache = caches.get(dialect);
  if (cache === undefined) caches.set(dialect, (cache = new TextCache()));
  let native = cache.get(text);
  if (native === undefined) cache.set(text, (native = rewrite(text, dialect)));
  return native;
}

/** The first word of a statement in capitals, behind comments and opening parentheses; else ''. */
export function firstKeyword(text: string, lexis: Lexis): string {
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const end = skipComment(text, at, code, lexis);
    if (end !== at) at = end;
    else if (isSpace(code) || code === OPEN || code === SEMICOLON) at += 1;
    else break;
  }
  // Where a comment is code, its version number may stand before the first word.
  if (at >= 3 && text.charCodeAt(at - 1) === BANG) while (isDigit(text.charCodeAt(at))) at += 1;
  while (isSpace(text.charCodeAt(at)) || text.charCodeAt(at) === OPEN) at += 1;
  let end = at;
  while (isLetter(text.charCodeAt(end)) && end - at <= KEYWORD_LENGTH) end += 1;
  // The word becomes a label of metrics, so whatever is no keyword is no word.
  return end - at > KEYWORD_LENGTH ? '' : text.slice(at, end).toUpperCase();
}

/**
 * Where the piece of SQL at `at` ends: a word, a string, a quoted identifier, a comment, or a single
 * character. For whoever walks over a script; `at` must be where a piece begins.
 */
export function endOfPiece(text: string, at: number, lexis: Lexis): number {
  return skipPiece(text, at, text.charCodeAt(at), lexis);
}

/** How many placeholders of its own the engine will find in a text that is native already. */
export function countNative(text: string, dialect: Dialect): number {
  const marks = marksOf(dialect);
  let count = 0;
  let at = nextMark(text, 0, dialect.lexis, marks.prefix);
  while (at !== -1) {
    const isQuestion = text.charCodeAt(at) === QUESTION;
    if (isQuestion === marks.isQuestion) count += 1;
    at = nextMark(text, at + 1, dialect.lexis, marks.prefix);
  }
  return count;
}

/** The mark, kept apart from words: `LIMIT?` is not `LIMIT$1`, and MySQL does not read `?and`. */
export function spacedPlaceholder(
  placeholder: string,
  before: number | undefined,
  after: number | undefined,
): string {
  const left = before !== undefined && isWordPart(before) ? ' ' : '';
  const right = after !== undefined && isWordPart(after) ? ' ' : '';
  return left + placeholder + right;
}

const KEYWORD_LENGTH = 32;
const [TAB, NEWLINE, RETURN, SPACE, DELETE] = [9, 10, 13, 32, 127];
const [BANG, DOUBLE, HASH, DOLLAR, SINGLE, OPEN] = [33, 34, 35, 36, 39, 40];
const [STAR, DASH, SLASH, SEMICOLON, QUESTION] = [42, 45, 47, 59, 63];
const [CAPITAL_E, CAPITAL_M, OPEN_BRACKET, BACKSLASH, BACKTICK, SMALL_E] = [
  69, 77, 91, 92, 96, 101,
];
const BYTE_ORDER_MARK = 0xfeff;

/** How the dialect marks parameters: `$` for `$1`, `@p` for `@p1`, '' where the mark is `?`. */
function marksOf(dialect: Dialect): { readonly isQuestion: boolean; readonly prefix: string } {
  const first = dialect.placeholder(1);
  if (first.startsWith('?')) return { isQuestion: true, prefix: '' };
  return { isQuestion: false, prefix: first.endsWith('1') ? first.slice(0, -1) : first };
}

function rewrite(text: string, dialect: Dialect): NativeText {
  if (text.includes('\0')) {
    throw refusal('The text of the statement holds a NUL character', text, text.indexOf('\0'));
  }
  const { lexis } = dialect;
  const { prefix } = marksOf(dialect);
  const operation = firstKeyword(text, lexis);
  if (!text.includes('?')) {
    const mayBeNative = prefix !== '' && text.includes(prefix);
    const native = mayBeNative && nextMark(text, 0, lexis, prefix) !== -1;
    return { text, count: 0, native, operation };
  }

  const keepsQuestion = dialect.placeholder(1) === '?';
  let native = false;
  let count = 0;
  let done = '';
  let copied = 0;
  let at = nextMark(text, 0, lexis, prefix);
  while (at !== -1) {
    const next = text.charCodeAt(at + 1);
    if (text.charCodeAt(at) !== QUESTION) {
      native = true;
      at += prefix.length;
    } else if (next === QUESTION) {
      if (keepsQuestion) throw refusal(noOperator(dialect), text, at);
      done += text.slice(copied, at + 1);
      at += 2;
      copied = at;
    } else if (isDigit(next)) {
      throw refusal(`"?${String.fromCharCode(next)}": write ? for each value`, text, at);
    } else {
      count += 1;
      const before = at === 0 || keepsQuestion ? undefined : text.charCodeAt(at - 1);
      const mark = spacedPlaceholder(dialect.placeholder(count), before, next);
      if (mark !== '?') {
        done += text.slice(copied, at) + mark;
        copied = at + 1;
      }
      at += 1;
    }
    if (native && count > 0) throw refusal(mixed(dialect), text, at);
    at = nextMark(text, at, lexis, prefix);
  }
  return { text: copied === 0 ? text : done + text.slice(copied), count, native, operation };
}

function noOperator(dialect: Dialect): string {
  return `"??" is a literal ?, which is no operator in ${dialect.name}; for an identifier use sql.id()`;
}

function mixed(dialect: Dialect): string {
  const own = dialect.placeholder(1);
  return `The statement mixes ? and ${own}: write ? for each value and ?? for the operator ?, or pass placeholders: 'native'`;
}

/** Never quotes the text itself: it may hold values. */
function refusal(what: string, text: string, at: number): ConfigError {
  const message = `${what} (character ${at + 1} of ${text.length}).`;
  return new ConfigError(message, { kind: 'usage', code: 'DAL_PLACEHOLDERS' });
}

/**
 * The next `?` or numbered native mark that is code, at or after `from`, which must not lie inside a
 * string or comment; -1 when there is none. What is never closed runs to the end: the server will say so.
 */
function nextMark(text: string, from: number, lexis: Lexis, prefix: string): number {
  const lead = prefix === '' ? -1 : prefix.charCodeAt(0);
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUESTION) return at;
    if (code === lead && isDigit(text.charCodeAt(at + prefix.length))) {
      if (text.startsWith(prefix, at)) return at;
    }
    at = skipPiece(text, at, code, lexis);
  }
  return -1;
}

/** The end of the word, string, quoted identifier, comment or single character at `at`. */
function skipPiece(text: string, at: number, code: number, lexis: Lexis): number {
  if (!isWordStart(code)) return skipOther(text, at, code, lexis);
  const end = skipWord(text, at);
  const isEscape = end === at + 1 && (code === SMALL_E || code === CAPITAL_E);
  const isString = isEscape && lexis.escapeStrings && text.charCodeAt(end) === SINGLE;
  return isString ? skipEscapeString(text, end) : end;
}

/** The end of the string, quoted identifier, comment or single character at `at`. */
function skipOther(text: string, at: number, code: number, lexis: Lexis): number {
  switch (code) {
    case SINGLE:
      return lexis.backslashStrings ? skipEscaped(text, at, SINGLE) : skipQuoted(text, at, "'");
    case DOUBLE:
      return lexis.doubleQuotedStrings ? skipEscaped(text, at, DOUBLE) : skipQuoted(text, at, '"');
    case BACKTICK:
      return lexis.backticks ? skipQuoted(text, at, '`') : at + 1;
    case OPEN_BRACKET:
      return lexis.brackets ? skipQuoted(text, at, ']') : at + 1;
    case DOLLAR:
      return lexis.dollar ? skipDollarQuoted(text, at) : at + 1;
    default:
      return Math.max(skipComment(text, at, code, lexis), at + 1);
  }
}

/** The end of the comment that starts at `at`; `at` itself when there is none. */
function skipComment(text: string, at: number, code: number, lexis: Lexis): number {
  if (code === DASH && text.charCodeAt(at + 1) === DASH) {
    const after = at + 2 < text.length ? text.charCodeAt(at + 2) : SPACE;
    const isComment = !lexis.dashNeedsSpace || after <= SPACE || after === DELETE;
    return isComment ? skipLine(text, at, lexis) : at;
  }
  if (code === HASH && lexis.hashComments) return skipLine(text, at, lexis);
  if (code !== SLASH || text.charCodeAt(at + 1) !== STAR) return at;
  // MySQL runs what stands in `/*! ... */`, and MariaDB in `/*M! ... */` too: only the opening goes.
  if (lexis.hashComments) {
    const third = text.charCodeAt(at + 2);
    if (third === BANG) return at + 3;
    if (third === CAPITAL_M && text.charCodeAt(at + 3) === BANG) return at + 4;
  }
  return lexis.nestedComments ? skipNested(text, at) : endAfter(text, '*/', at + 2);
}

function skipLine(text: string, from: number, lexis: Lexis): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    // Lexers with dollar quotes descend from PostgreSQL's, which ends a line at CR too.
    if (code === NEWLINE || (code === RETURN && lexis.dollar)) return at;
    at += 1;
  }
  return at;
}

function skipNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    if (code === SLASH && next === STAR) {
      depth += 1;
      at += 2;
    } else if (code === STAR && next === SLASH) {
      depth -= 1;
      at += 2;
      if (depth === 0) return at;
    } else {
      at += 1;
    }
  }
  return at;
}

/** A closing quote that stands twice does not close. */
function skipQuoted(text: string, from: number, close: string): number {
  let at = endAfter(text, close, from + 1);
  while (at < text.length && text.startsWith(close, at)) at = endAfter(text, close, at + 1);
  return at;
}

function skipEscaped(text: string, from: number, close: number): number {
  let at = from + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 2;
    else if (code !== close) at += 1;
    else if (text.charCodeAt(at + 1) === close) at += 2;
    else return at + 1;
  }
  return text.length;
}

/** `E'...'` goes on in the next string when a line ends between them, still with escapes. */
function skipEscapeString(text: string, from: number): number {
  let end = skipEscaped(text, from, SINGLE);
  for (;;) {
    const next = continuation(text, end);
    if (next === -1) return end;
    end = skipEscaped(text, next, SINGLE);
  }
}

function continuation(text: string, from: number): number {
  let hasNewline = false;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === NEWLINE || code === RETURN) hasNewline = true;
    if (code === DASH && text.charCodeAt(at + 1) === DASH)
      at = skipLine(text, at, { dollar: true });
    else if (code === SPACE || (code >= TAB && code <= RETURN)) at += 1;
    else return code === SINGLE && hasNewline ? at : -1;
  }
  return -1;
}

/** `$1` is a parameter and `a$b$` a word; neither comes here. */
function skipDollarQuoted(text: string, from: number): number {
  let end = from + 1;
  if (isDigit(text.charCodeAt(end))) return end;
  while (isWordStart(text.charCodeAt(end))) end += 1;
  if (text.charCodeAt(end) !== DOLLAR) return from + 1;
  return endAfter(text, text.slice(from, end + 1), end + 1);
}

/** A word may hold `$`, a number may not. */
function skipWord(text: string, from: number): number {
  const isNumber = isDigit(text.charCodeAt(from));
  let at = from + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (!isWordStart(code) && (isNumber || code !== DOLLAR)) return at;
    at += 1;
  }
  return at;
}

function endAfter(text: string, what: string, from: number): number {
  const found = text.indexOf(what, from);
  return found === -1 ? text.length : found + what.length;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

/** Digits count too. Every character beyond ASCII is a letter to all engines. False for NaN. */
function isWordStart(code: number): boolean {
  return isLetter(code) || isDigit(code) || code >= 128;
}

function isWordPart(code: number): boolean {
  return isWordStart(code) || code === DOLLAR;
}

function isSpace(code: number): boolean {
  return code === SPACE || (code >= TAB && code <= RETURN) || code === BYTE_ORDER_MARK;
}

const GENERATION_TEXTS = 500;
const GENERATION_CHARACTERS = 2_000_000;
const CACHED_CHARACTERS = 32_768;

/** Two generations: what is still used when the young one is full moves on, the rest is forgotten. */
class TextCache {
  #young = new Map<string, NativeText>();
  #old = new Map<string, NativeText>();
  #characters = 0;

  get(text: string): NativeText | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, native: NativeText): void {
    if (text.length > CACHED_CHARACTERS) return;
    const isFull =
      this.#young.size >= GENERATION_TEXTS || this.#characters >= GENERATION_CHARACTERS;
    if (isFull) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#characters = 0;
    }
    this.#young.set(text, native);
    this.#characters += text.length;
  }
}

const caches = new WeakMap<Dialect, TextCache>();
