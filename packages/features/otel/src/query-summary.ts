import { endOfPiece, type Lexis } from '@dal/core';
import { isComment, isIdentifier, isSpace, isWord, nameAt } from './sql-pieces.ts';

/** The longest summary that the conventions allow. */
const LONGEST = 255;
/** What stands further behind is not looked at. */
const FURTHEST = 32_768;

/**
 * What a statement does to what, in the order of its text: `SELECT orders customers`,
 * `INSERT shipping SELECT orders`. No values, so that few summaries stand for many texts.
 */
export function summarize(text: string, lexis: Lexis): string {
  const summary = new Summary();
  const end = Math.min(text.length, FURTHEST);
  let at = 0;
  while (at < end && !summary.isFull) {
    const next = endOfPiece(text, at, lexis);
    const code = text.charCodeAt(at);
    if (isIdentifier(code, lexis) && next > at + 1) {
      const name = nameAt(text, at, lexis);
      summary.name(text.slice(at, name));
      at = name;
    } else if (isWord(code) && summary.wantsName(text.slice(at, next))) {
      const name = nameAt(text, at, lexis);
      summary.name(text.slice(at, name));
      at = name;
    } else {
      if (isWord(code)) summary.word(text.slice(at, next));
      else if (!isSpace(code) && !isComment(text, at, next, lexis))
        summary.mark(text[at] as string);
      at = next;
    }
  }
  return summary.text;
}

/** A pair of parentheses, or what is outside of all. */
interface Frame {
  /** What is done in it, in capitals; undefined before its first verb, and in lists and calls. */
  verb: string | undefined;
  /** `want`: a name comes next. `more`: a comma leads to another one. `one`: a single name comes. */
  targets: 'none' | 'want' | 'more' | 'one';
  /** What kind of thing is made or dropped. */
  object: string | undefined;
  /** A statement that changes rows may begin here. */
  mayChange: boolean;
}

class Summary {
  text = '';
  isFull = false;
  readonly #frames: Frame[] = [];
  #frame: Frame = newFrame(true);
  #isFirstWord = true;
  #before = '';

  /** Whether a word stands where a name is expected; words that may stand before it do not count. */
  wantsName(word: string): boolean {
    const { targets } = this.#frame;
    if (targets !== 'want' && targets !== 'one') return false;
    const upper = word.toUpperCase();
    return !beforeNames.has(upper) && !endsTargets.has(upper) && !this.#isObject(upper);
  }

  name(text: string): void {
    const frame = this.#frame;
    if (frame.targets === 'want' || frame.targets === 'one') {
      this.#add(text);
      frame.targets = frame.targets === 'want' ? 'more' : 'none';
    }
    this.#isFirstWord = false;
    this.#before = '';
  }

  word(word: string): void {
    const upper = word.toUpperCase();
    const frame = this.#frame;
    const isFirst = this.#isFirstWord;
    if (!transparent.has(upper)) this.#isFirstWord = false;
    if (isFirst && transparent.has(upper)) this.#add(word);
    else if (upper === 'SELECT') this.#begin(word, 'none');
    else if (changes.has(upper) && frame.mayChange && frame.verb === undefined) {
      this.#begin(word, upper === 'DELETE' ? 'none' : upper === 'UPDATE' ? 'want' : 'one');
    } else if (isFirst && upper !== 'WITH' && KEYWORD.test(word)) {
      this.#begin(word, ofObjects.has(upper) || takesName.has(upper) ? 'one' : 'none');
    } else if (this.#isObject(upper)) {
      this.#add(word);
      frame.object = upper;
      if (nameless.has(upper)) frame.targets = 'none';
    } else if (this.#leadsToTargets(upper)) {
      frame.targets = upper === 'INTO' ? 'one' : 'want';
    } else if (endsTargets.has(upper)) frame.targets = 'none';
    this.#before = upper;
  }

  mark(mark: string): void {
    const frame = this.#frame;
    if (mark === '(') {
      // A sub-select may be what the list wanted.
      if (frame.targets === 'want') frame.targets = 'more';
      this.#frames.push(frame);
      this.#frame = newFrame(this.#before === 'AS' || this.#before === 'MATERIALIZED');
    } else if (mark === ')') {
      this.#frame = this.#frames.pop() ?? frame;
    } else if (mark === ';') {
      this.#frames.length = 0;
      this.#frame = newFrame(true);
      this.#isFirstWord = true;
    } else if (mark === ',' && frame.targets === 'more') {
      frame.targets = 'want';
    } else if (frame.targets === 'want' || frame.targets === 'one') {
      frame.targets = 'none';
    }
    this.#before = mark;
  }

  /** `TABLE` and the like, between a verb and a name. */
  #isObject(upper: string): boolean {
    const { verb = '', object, targets } = this.#frame;
    return targets === 'one' && !object && ofObjects.has(verb) && objects.has(upper);
  }

  #leadsToTargets(upper: string): boolean {
    const { verb } = this.#frame;
    if (verb === undefined) return false;
    if (upper === 'FROM') return lists.has(verb) && this.#before !== 'DISTINCT';
    if (upper === 'USING') return verb === 'DELETE' || verb === 'MERGE';
    return upper === 'JOIN' || upper === 'STRAIGHT_JOIN' || upper === 'INTO';
  }

  #begin(verb: string, targets: Frame['targets']): void {
    this.#add(verb);
    this.#frame.verb = verb.toUpperCase();
    this.#frame.targets = targets;
  }

  /** Only whole words: what is cut off might mean something else. */
  #add(word: string): void {
    const longer = this.text === '' ? word : `${this.text} ${word}`;
    if (longer.length > LONGEST) this.isFull = true;
    else this.text = longer;
  }
}

function newFrame(mayChange: boolean): Frame {
  return { verb: undefined, targets: 'none', object: undefined, mayChange };
}

/** Whatever comes first is told, if it looks like a word of SQL. */
const KEYWORD = /^[a-z_]{1,32}$/i;
const changes = words('INSERT UPDATE DELETE REPLACE MERGE');
/** Verbs whose FROM is followed by tables. */
const lists = words('SELECT DELETE UPDATE');
/** The statement behind these words is what counts too. */
const transparent = words('EXPLAIN DESCRIBE DESC');
const ofObjects = words('CREATE ALTER DROP TRUNCATE');
const takesName = words('CALL COPY LOCK EXEC EXECUTE');
const objects = words(
  'TABLE INDEX VIEW SEQUENCE SCHEMA DATABASE TRIGGER FUNCTION PROCEDURE TYPE ' +
    'EXTENSION DOMAIN POLICY PUBLICATION EVENT USER ROLE SYSTEM SERVER',
);
/** Their names say who, not what. */
const nameless = words('USER ROLE SYSTEM SERVER');
/** What may stand between a verb and a name. */
const beforeNames = words(
  'INTO IF NOT EXISTS ONLY LATERAL OR REPLACE IGNORE ROLLBACK ABORT FAIL ' +
    'LOW_PRIORITY HIGH_PRIORITY DELAYED QUICK TEMP TEMPORARY UNIQUE UNLOGGED GLOBAL ' +
    'LOCAL MATERIALIZED RECURSIVE CONCURRENTLY FULLTEXT SPATIAL VIRTUAL CONSTRAINT ON ' +
    'TABLE TABLES',
);
const endsTargets = words(
  'SELECT WHERE GROUP ORDER HAVING LIMIT UNION INTERSECT EXCEPT SET VALUES RETURNING ' +
    'WINDOW FOR FETCH OFFSET DEFAULT OUTFILE DUMPFILE PARTITION WITH',
);

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}
