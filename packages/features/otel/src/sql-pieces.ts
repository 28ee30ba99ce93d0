import { endOfPiece, type Lexis } from '@dal/core';

const [TAB, RETURN, SPACE] = [9, 13, 32];
const [DOUBLE, HASH, SINGLE, DOT, OPEN_BRACKET, BACKTICK] = [34, 35, 39, 46, 91, 96];

export function isSpace(code: number): boolean {
  return code === SPACE || (code >= TAB && code <= RETURN) || code === 0xfeff;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** True for the first character of a word; a number is none. */
export function isWord(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
}

/** True for the mark that opens a quoted identifier. */
export function isIdentifier(code: number, lexis: Lexis): boolean {
  if (code === DOUBLE) return lexis.doubleQuotedStrings !== true;
  if (code === BACKTICK) return lexis.backticks === true;
  return code === OPEN_BRACKET && lexis.brackets === true;
}

/** True for the mark that opens a string. */
export function isString(code: number, lexis: Lexis): boolean {
  return code === SINGLE || (code === DOUBLE && lexis.doubleQuotedStrings === true);
}

/** True for a piece that is a comment, or the mark before code in one. */
export function isComment(text: string, at: number, end: number, lexis: Lexis): boolean {
  if (text.charCodeAt(at) === HASH) return lexis.hashComments === true;
  return end - at > 1 && (text.startsWith('--', at) || text.startsWith('/*', at));
}

/** The end of the name at `at`, with all its parts: `shop."Orders"`. */
export function nameAt(text: string, at: number, lexis: Lexis): number {
  let end = endOfPiece(text, at, lexis);
  while (text.charCodeAt(end) === DOT) {
    const code = text.charCodeAt(end + 1);
    if (!isWord(code) && !isIdentifier(code, lexis)) return end;
    end = endOfPiece(text, end + 1, lexis);
  }
  return end;
}
