import { endOfPiece, type Lexis } from '@dal/core';
import { isComment, isDigit, isString, isWord } from './sql-pieces.ts';

/** What is longer is cut: nobody reads it, and every byte of it is stored for each call. */
const LONGEST = 4_096;

const NUMBER = /\d\w*(?:\.\w*)?(?:(?<=e)[+-]\d+)?/iy;
/** A digit behind these belongs to a placeholder. */
const beforePlaceholder = new Set(['$', ':', '@', '?']);

/** The text with `?` for every literal and without its comments. Placeholders stay as they are. */
export function sanitize(text: string, lexis: Lexis): string {
  let safe = '';
  let at = 0;
  while (at < text.length && safe.length <= LONGEST) {
    const end = endOfPiece(text, at, lexis);
    const code = text.charCodeAt(at);
    if (isDigit(code) && !beforePlaceholder.has(text[at - 1] ?? '')) {
      safe += '?';
      NUMBER.lastIndex = at;
      at += NUMBER.exec(text)?.[0].length ?? end - at;
      continue;
    }
    if (isLiteral(text, at, end, lexis)) safe += '?';
    else if (isComment(text, at, end, lexis)) safe += ' ';
    else safe += text.slice(at, end);
    at = end;
  }
  return cut(safe.trim());
}

/** A text that is told as it was written. */
export function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function isLiteral(text: string, at: number, end: number, lexis: Lexis): boolean {
  const code = text.charCodeAt(at);
  if (isString(code, lexis)) return true;
  // E'...' is one piece, and so is $tag$...$tag$.
  if (isWord(code)) return text.charCodeAt(end - 1) === 39 && end - at > 1;
  return text[at] === '$' && end - at > 1;
}
