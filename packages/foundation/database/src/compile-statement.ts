import {
  checkValues,
  ConfigError,
  type Dialect,
  firstKeyword,
  isSql,
  type NativeStatement,
  renderSql,
  type Sql,
  type StatementOptions,
  tagComment,
  toNative,
  type Values,
} from '@dal/core';

/** A statement in the engine's own words, and what the layer has to know of it. */
export interface CompiledStatement extends NativeStatement {
  /** The text as the user wrote it, for messages. */
  readonly shown: string;
  /** It changes something in the session that the next borrower must not see. */
  readonly touchesSession: boolean;
}

const NO_VALUES: Values = [];

/**
 * From the user's text or `sql` template to the engine's: placeholders, values, tags.
 *
 * @throws ConfigError when the values don't fit the text; nothing was sent then
 */
export function compileStatement(
  dialect: Dialect,
  statement: string | Sql,
  values: Values | undefined,
  options: StatementOptions | undefined,
): CompiledStatement {
  let text: string;
  let native: Values;
  let shown: string;
  let operation: string;
  if (isSql(statement)) {
    const rendered = renderSql(statement, dialect);
    text = shown = rendered.text;
    native = rendered.values;
    operation = rendered.operation;
  } else if (typeof statement === 'string') {
    shown = statement;
    native = values ?? NO_VALUES;
    if (!Array.isArray(native)) throw notAList(native);
    if (options?.placeholders === 'native') {
      text = statement;
      operation = firstKeyword(text, dialect.lexis);
    } else {
      const compiled = toNative(statement, dialect);
      if (compiled.count !== native.length) throw wrongCount(compiled.count, native.length);
      text = compiled.text;
      operation = compiled.operation;
    }
  } else {
    throw new ConfigError('A statement is a text or sql`...`.', {
      code: 'DAL_VALUE',
      kind: 'usage',
    });
  }
  if (native.length > dialect.limits.parameters) throw tooMany(native.length, dialect);
  const touchesSession = changesSession(text, operation);
  if (options?.tags) text += tagComment(options.tags);
  return {
    text,
    values: native.length === 0 ? native : checkValues(native, dialect.arrays === true),
    shown,
    touchesSession,
    ...(options?.rowMode === 'array' ? { rowMode: 'array' } : {}),
  };
}

const ordinary = new Set(
  'SELECT INSERT UPDATE DELETE WITH VALUES REPLACE MERGE EXPLAIN BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE END ALTER DROP TRUNCATE ANALYZE SHOW TABLE'.split(
    ' ',
  ),
);
const temporary = /\bTEMP(?:ORARY)?\b/i;
const bySelect = /\b(?:set_config|pg_(?:try_)?advisory_lock\w*|get_lock|into\s+temp)\b|@\w+\s*:=/i;

/** Errs on the side of a reset that wasn't needed. */
function changesSession(text: string, operation: string): boolean {
  if (operation === 'CREATE') return temporary.test(text);
  return !ordinary.has(operation) || changesByFunction(text);
}

/** Cached by text: the same few come again and again. */
function changesByFunction(text: string): boolean {
  let known = changing.get(text);
  if (known === undefined) {
    known = bySelect.test(text);
    if (changing.size >= 1_000) changing.clear();
    if (text.length <= 32_768) changing.set(text, known);
  }
  return known;
}
const changing = new Map<string, boolean>();

function wrongCount(marks: number, given: number): ConfigError {
  const advice =
    marks > given
      ? 'Give one value for each "?"; a "?" that is an operator is written "??".'
      : 'Every value needs its "?" outside of quotes and comments.';
  return new ConfigError(
    `The statement has ${marks} "?" but got ${given} value${given === 1 ? '' : 's'}. ${advice} Nothing was sent.`,
    { code: 'DAL_VALUE_COUNT', kind: 'usage' },
  );
}

function notAList(values: unknown): ConfigError {
  return new ConfigError(
    `The values of a statement are a list, such as [1, "a"], not ${values === null ? 'null' : `a ${typeof values}`}. Nothing was sent.`,
    { code: 'DAL_VALUE', kind: 'usage' },
  );
}

function tooMany(given: number, { name, limits }: Dialect): ConfigError {
  return new ConfigError(
    `${given} values in one statement; ${name} takes ${limits.parameters}. Use executeMany, or smaller batches. Nothing was sent.`,
    { code: 'DAL_VALUE_COUNT', kind: 'usage' },
  );
}
