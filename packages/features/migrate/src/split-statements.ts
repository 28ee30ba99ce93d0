import { type Dialect, endOfPiece, type Lexis } from '@dal/core';

/** One statement of a script. */
export interface ScriptStatement {
  /** Without the delimiter behind it and the comments in front of it. */
  readonly text: string;
  /** Its first line in the file, from 1. */
  readonly line: number;
  /** Its first words, such as `ALTER TABLE users ADD`; ends before the first literal. */
  readonly label: string;
  /** The first word in capitals, and the second one; '' where there is none. */
  readonly words: readonly [first: string, second: string];
}

/** A comment that begins a line: `-- ...`, without the line's end. */
export type LineComment = (text: string, line: number) => 'newPart' | undefined;

/**
 * Cuts a script into statements, piece by piece as the engine's own lexer would: a `;` inside a
 * string, a comment, a dollar quote or the body of a trigger or routine ends nothing. `DELIMITER //`
 * on a line of its own is understood, as in the `mysql` client.
 *
 * @param onComment is shown each comment that begins a line; `newPart` ends the statements so far
 * @returns the statements of each part, the first one before any `newPart`
 * @throws ScriptError for a body that is never closed
 */
export function splitStatements(
  text: string,
  dialect: Dialect,
  onComment: LineComment = () => undefined,
): ScriptStatement[][] {
  const { lexis } = dialect;
  const parts: ScriptStatement[][] = [[]];
  let statement = new StatementReader(lexis);
  let delimiter = ';';
  let line = 1;
  let isLineStart = true;
  let at = 0;

  const finish = (): void => {
    statement.checkClosed();
    const read = statement.read(text, at);
    if (read) parts.at(-1)?.push(read);
    statement = new StatementReader(lexis);
  };

  while (at < text.length) {
    if (text.startsWith(delimiter, at) && statement.mayEnd(delimiter)) {
      finish();
      at += delimiter.length;
      isLineStart = false;
      continue;
    }
    const end = at + lengthOfPiece(text, at, delimiter, lexis);
    const piece = text.slice(at, end);
    const first = piece.charAt(0);
    if (isLineStart && statement.isEmpty && piece.toUpperCase() === 'DELIMITER') {
      const lineEnd = endOfLine(text, end);
      const mark = text.slice(end, lineEnd).trim();
      if (mark === '' || mark.length > 16) {
        throw new ScriptError('DELIMITER needs a mark behind it, such as //', line);
      }
      delimiter = mark;
      at = lineEnd;
      continue;
    }
    if (isBlank(first)) {
      if (first === '\n') isLineStart = true;
    } else if (isComment(piece, lexis)) {
      if (isLineStart && piece.startsWith('--') && onComment(piece, line) === 'newPart') {
        finish();
        parts.push([]);
      }
      isLineStart = false;
    } else {
      statement.add(piece, at, line);
      isLineStart = false;
    }
    line += countLines(piece);
    at = end;
  }
  finish();
  return parts;
}

/** In `END$$` the delimiter is part of the word for the engine, and not for who said DELIMITER. */
function lengthOfPiece(text: string, at: number, delimiter: string, lexis: Lexis): number {
  const piece = text.slice(at, endOfPiece(text, at, lexis));
  const inside = delimiter === ';' || !isWord(piece) ? -1 : piece.indexOf(delimiter, 1);
  return inside === -1 ? piece.length : inside;
}

/** What is wrong with a script, and where. */
export class ScriptError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Follows one statement: where it begins, what its first words are, how deep in a body it is. */
class StatementReader {
  readonly #lexis: Lexis;
  readonly #head: string[] = [];
  readonly #words: string[] = [];
  #start = -1;
  #end = 0;
  #line = 0;
  #previous = '';
  #headIsOpen = true;
  /** Whether the statement may hold others, as routines and triggers do; undefined: not seen yet. */
  #mayHoldBody: boolean | undefined;
  #hasBody = false;
  #depth = 0;
  /** An END that waits for the next word: `END IF` closes no BEGIN. */
  #closing = false;

  constructor(lexis: Lexis) {
    this.#lexis = lexis;
  }

  get isEmpty(): boolean {
    return this.#start === -1;
  }

  /** Whether a delimiter here ends the statement, or is part of a body. */
  mayEnd(delimiter: string): boolean {
    this.#settle('');
    // Somebody who says DELIMITER says himself where a statement ends.
    return delimiter !== ';' || this.#depth === 0;
  }

  add(piece: string, at: number, line: number): void {
    if (this.isEmpty) [this.#start, this.#line] = [at, line];
    this.#end = at + piece.length;
    const word = isWord(piece) ? piece.toUpperCase() : '';
    this.#settle(word);
    if (this.#headIsOpen) this.#readHead(piece, word);
    if (word !== '' && this.#previous !== '.') this.#follow(word);
    this.#previous = word === '' ? piece : word;
  }

  checkClosed(): void {
    this.#settle('');
    if (this.#depth === 0 || this.isEmpty) return;
    throw new ScriptError(
      'The body of this statement (BEGIN ... END) is not closed. If it is, say where the statement ends: DELIMITER // before it, // behind it, DELIMITER ; afterwards',
      this.#line,
    );
  }

  read(text: string, end: number): ScriptStatement | undefined {
    if (this.isEmpty) return undefined;
    const [first = '', second = ''] = this.#words;
    return {
      text: text.slice(this.#start, Math.min(this.#end, end)),
      line: this.#line,
      label: this.#head.join(' ').replaceAll(/\s+/g, ' '),
      words: [first, second],
    };
  }

  #readHead(piece: string, word: string): void {
    const isName = piece.length > 1 && /^["`[]/.test(piece) && !this.#isString(piece);
    if (word === '' && !isName) {
      // A dot joins names; whatever else comes may be followed by values.
      this.#headIsOpen = piece === '.';
      return;
    }
    if (word !== '') this.#words.push(word);
    if (/^\d/.test(piece)) {
      this.#headIsOpen = false;
      return;
    }
    const last = this.#head.length - 1;
    if (this.#previous === '.') this.#head[last] = `${this.#head[last]}.${piece}`;
    else this.#head.push(piece);
    this.#headIsOpen = this.#head.length < 6 && this.#head.join(' ').length < 80;
  }

  #isString(piece: string): boolean {
    return piece.startsWith('"') && this.#lexis.doubleQuotedStrings === true;
  }

  #follow(word: string): void {
    const before = this.#previous;
    if (this.#mayHoldBody === undefined && this.#words[0] === 'CREATE') {
      if (HOLDS_BODY.has(word)) this.#mayHoldBody = true;
      else if (HOLDS_NONE.has(word)) this.#mayHoldBody = false;
    }
    // MariaDB's compound statement stands alone.
    if (word === 'NOT' && before === 'BEGIN' && this.#words[0] === 'BEGIN') {
      this.#mayHoldBody = this.#hasBody = true;
      this.#depth = 1;
      return;
    }
    if (!this.#mayHoldBody) return;
    if (this.#opensBody(word, before)) {
      this.#hasBody = true;
      this.#depth += 1;
    } else if (this.#hasBody && word === 'CASE' && before !== 'END') {
      this.#depth += 1;
    } else if (this.#hasBody && word === 'END') {
      this.#closing = true;
    }
  }

  #opensBody(word: string, before: string): boolean {
    // Where bodies are usually dollar quotes, BEGIN alone may be the name of a column.
    if (this.#lexis.dollar) return word === 'ATOMIC' && before === 'BEGIN';
    return word === 'BEGIN';
  }

  /** An END counts once it is known what stands behind it. */
  #settle(next: string): void {
    if (!this.#closing) return;
    this.#closing = false;
    if (!ENDS_OF_OTHERS.has(next)) this.#depth = Math.max(0, this.#depth - 1);
  }
}

const HOLDS_BODY = new Set(['TRIGGER', 'PROCEDURE', 'FUNCTION', 'EVENT', 'PACKAGE']);
/** So that columns of a table may be called `event` and `begin`. */
const HOLDS_NONE = new Set(['TABLE', 'VIEW', 'INDEX', 'TYPE', 'DATABASE', 'SCHEMA', 'SEQUENCE']);
/** `END IF` and the like, whose openings are not counted either. */
const ENDS_OF_OTHERS = new Set(['IF', 'LOOP', 'WHILE', 'REPEAT', 'FOR']);

function isWord(piece: string): boolean {
  return /^[\p{L}\p{N}_\u0080-\uffff]/u.test(piece) && !piece.endsWith("'");
}

function isComment(piece: string, lexis: Lexis): boolean {
  if (piece.startsWith('#')) return lexis.hashComments === true && piece.length > 1;
  // Of a comment that the server reads as code, the piece is the opening alone.
  if (piece.startsWith('/*')) return !(lexis.hashComments && /^\/\*M?!$/.test(piece));
  return piece.startsWith('--') && piece.length > 1;
}

function isBlank(character: string): boolean {
  return /^[\s\ufeff]$/.test(character);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function countLines(piece: string): number {
  let count = 0;
  for (let at = piece.indexOf('\n'); at !== -1; at = piece.indexOf('\n', at + 1)) count += 1;
  return count;
}
