import { endOfPiece, type Lexis } from '@dal/core';

/** What is longer is cut: nobody reads it. */
const LONGEST_TEXT = 4_096;
/** Of a longer statement only the beginning is read, so that no call costs much. */
const LONGEST_READ = 20_000;
const QUOTE = 39;

const NUMBER = /\d\w*(?:\.\w*)?(?:(?<=e)[+-]\d+)?/iy;
/** The engines' own marks for parameters, such as `$1`, `?2`, `:3` and `@p4`. */
const PLACEHOLDER = /\?\d*|[$:]\d+|@p\d+\b/iy;
const SPACE = /[\s\uFEFF]+/y;
/** A sign behind these belongs to the number that follows. */
const beforeSign = new Set([undefined, '(', '[', ',', '=', '<', '>', '+', '-', '*', '/', '%', '|']);
const opening: Readonly<Record<string, string>> = { ')': '(', ']': '[' };

/**
 * What a statement has in common with those that differ in their values only: comments out, `?` for
 * every literal and placeholder, `(?+)` for lists of them and for several such lists, one blank for
 * white space. Words and their case stay.
 */
export function normalise(statement: string, lexis: Lexis): string {
  const text = statement.length > LONGEST_READ ? statement.slice(0, LONGEST_READ) : statement;
  const pieces = new Pieces();
  let at = 0;
  while (at < text.length && pieces.length <= LONGEST_TEXT) {
    const end = endOfValue(text, at, lexis);
    if (end > at) {
      pieces.addValue();
      at = end;
      continue;
    }
    const next = matchEnd(SPACE, text, at) || endOfPiece(text, at, lexis);
    const piece = text.slice(at, next);
    if (isBlank(piece, lexis)) pieces.addBlank();
    else pieces.add(piece);
    at = next;
  }
  const whole = pieces.join();
  return whole.length > LONGEST_TEXT ? `${whole.slice(0, LONGEST_TEXT)}...` : whole;
}

/** The end of the literal or placeholder at `at`; `at` itself when there is none. */
function endOfValue(text: string, at: number, lexis: Lexis): number {
  const code = text.charCodeAt(at);
  if (code >= 48 && code <= 57) return matchEnd(NUMBER, text, at);
  const mark = matchEnd(PLACEHOLDER, text, at);
  if (mark > 0) return mark;
  const end = endOfPiece(text, at, lexis);
  return isString(text, at, end, lexis) ? end : at;
}

function isString(text: string, at: number, end: number, lexis: Lexis): boolean {
  const first = text[at] as string;
  if (first === "'") return true;
  if (first === '"') return lexis.doubleQuotedStrings === true;
  // $tag$...$tag$, and E'...', which is one piece with its letter.
  if (end - at < 2) return false;
  if (first === '$') return true;
  // Behind the letter, or at the end behind `U&`; a text that was cut has none at its end.
  const isQuoted = text.charCodeAt(at + 1) === QUOTE || text.charCodeAt(end - 1) === QUOTE;
  return isQuoted && /[a-z]/i.test(first);
}

/** White space, or a comment; also the mark before what is code in a comment of MySQL. */
function isBlank(piece: string, lexis: Lexis): boolean {
  if (piece.trim() === '') return true;
  if (piece.startsWith('#')) return lexis.hashComments === true;
  return piece.length > 1 && (piece.startsWith('--') || piece.startsWith('/*'));
}

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : 0;
}

/** What lists are made of. */
const listed = new Set(['?', ',', ' ']);

/** The pieces so far, with lists folded as soon as they are closed. */
class Pieces {
  /** Without what may be part of a list that will be folded. */
  length = 0;
  readonly #pieces: string[] = [];

  add(piece: string): void {
    this.#push(piece);
    const open = opening[piece];
    if (open !== undefined) this.#fold(open, `${open}?+${piece}`);
  }

  addBlank(): void {
    if (this.#pieces.length > 0 && this.#pieces.at(-1) !== ' ') this.#push(' ');
  }

  addValue(): void {
    const sign = this.#pieces.at(-1);
    if (sign === '-' || sign === '+') {
      const before = this.#pieces.findLast((piece, place) => {
        return piece !== ' ' && place < this.#pieces.length - 1;
      });
      if (beforeSign.has(before)) this.#cut(this.#pieces.length - 1);
    }
    this.#push('?');
  }

  join(): string {
    return this.#pieces.join('').replace(/[;\s]+$/, '');
  }

  /** `( ? , ? )` becomes `(?+)`, and so do several of these behind each other. */
  #fold(open: string, folded: string): void {
    const start = this.#skipBack(this.#pieces.length - 2, '?');
    if (this.#pieces[start] !== open || !this.#pieces.includes('?', start)) return;
    this.#cut(start);
    const before = this.#skipBack(start - 1);
    if (before < start - 1 && this.#pieces[before] === folded) this.#cut(before);
    this.#push(folded);
  }

  /** The last place at or before `place` that is no blank, comma, or `also`. */
  #skipBack(place: number, also = ','): number {
    let at = place;
    while (at >= 0 && [' ', ',', also].includes(this.#pieces[at] as string)) at--;
    return at;
  }

  #cut(length: number): void {
    for (const piece of this.#pieces.splice(length)) this.length -= lengthOf(piece);
  }

  #push(piece: string): void {
    this.#pieces.push(piece);
    this.length += lengthOf(piece);
  }
}

function lengthOf(piece: string): number {
  return listed.has(piece) ? 0 : piece.length;
}
