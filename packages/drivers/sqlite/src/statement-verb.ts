const VERBS = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'VALUES']);

// Comments, quoted things, words, and single marks; everything else is skipped.
const token =
  /--[^\n]*|\/\*[^]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|([A-Za-z_]\w*)|([()])/g;

/**
 * What a statement does, in capitals: `SELECT`, `INSERT`, `PRAGMA`. A `WITH` is named after the
 * statement it belongs to.
 */
export function statementVerb(text: string): string {
  let depth = 0;
  let first = '';
  for (const [, word, mark] of text.matchAll(token)) {
    if (mark === '(') depth += 1;
    else if (mark === ')') depth -= 1;
    else if (word !== undefined && depth === 0) {
      const verb = word.toUpperCase();
      if (first === '' && verb !== 'WITH') return verb;
      if (first !== '' && VERBS.has(verb)) return verb;
      first = 'WITH';
    }
  }
  return first;
}

/** An upsert that may have changed a row instead: the last id is then an older insert's. */
export function mayUpdateInstead(text: string): boolean {
  return /\bDO\s+UPDATE\b/i.test(text);
}

const READS = new Set(['SELECT', 'VALUES', 'EXPLAIN']);

/** True when a statement with this verb can't have changed anything, whenever it was stopped. */
export function onlyReads(verb: string): boolean {
  return READS.has(verb);
}

const WORTH_KEEPING = new Set(
  'INSERT UPDATE DELETE REPLACE SELECT VALUES EXPLAIN BEGIN COMMIT END ROLLBACK SAVEPOINT RELEASE'.split(
    ' ',
  ),
);

/** False for words that run once, or change what other statements mean. */
export function isWorthKeeping(verb: string): boolean {
  return WORTH_KEEPING.has(verb);
}
