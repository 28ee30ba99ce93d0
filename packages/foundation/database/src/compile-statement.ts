import {
  checkValues,
  ConfigError,
  type Dialect,
  isJson,
  isSql,
  type NativeStatement,
  renderSql,
  type Sql,
  type StatementOptions,
  type Values,
} from '@dal/core';
import { nameOf, type StatementPlan, type StatementPlans } from './statement-plans.ts';

/** A statement in the engine's own words, and what the layer has to know of it. */
export interface CompiledStatement extends NativeStatement {
  /** The text as the user wrote it, for messages. */
  readonly shown: string;
  /** The first word in capitals, such as `SELECT`. */
  readonly operation: string;
  /** It changes something in the session that the next borrower must not see. */
  readonly touchesSession: boolean;
}

const NO_VALUES: Values = [];

/**
 * From the user's text or `sql` template to the engine's: placeholders, values, tags, name.
 *
 * @throws ConfigError when the values don't fit the text; nothing was sent then
 */
export function compileStatement(
  plans: StatementPlans,
  statement: string | Sql,
  values: Values | undefined,
  options: StatementOptions | undefined,
): CompiledStatement {
  const { dialect } = plans;
  let plan: StatementPlan;
  let native = values ?? NO_VALUES;
  let shown: string;
  if (typeof statement === 'string') {
    shown = statement;
    if (!Array.isArray(native)) throw notAList(native);
    plan =
      options?.placeholders === 'native' ? plans.native(statement) : plans.withMarks(statement);
    if (plan.count !== undefined && plan.count !== native.length) {
      throw wrongCount(plan.count, native.length);
    }
  } else if (isSql(statement)) {
    const rendered = renderSql(statement, dialect);
    shown = rendered.text;
    native = rendered.values;
    plan = plans.native(rendered.text, rendered.operation);
  } else {
    throw new ConfigError('A statement is a text or sql`...`.', {
      code: 'DAL_VALUE',
      kind: 'usage',
    });
  }
  if (native.length > dialect.limits.parameters) throw tooMany(native.length, dialect);
  const { tags } = options ?? NO_OPTIONS;
  return {
    text: tags === undefined ? plan.text : plans.tagged(plan, tags),
    values: native.length === 0 ? native : readyValues(native, dialect, options),
    // Tags of one call make a text that never comes again.
    name: tags === undefined ? nameOf(plan) : undefined,
    rowMode: options?.rowMode === 'array' ? 'array' : undefined,
    mapping: options?.mapping === 'library' ? 'library' : undefined,
    libraryOptions: options?.libraryOptions,
    askTransaction: undefined,
    shown,
    operation: plan.operation,
    touchesSession: plan.touchesSession,
  };
}

const NO_OPTIONS: StatementOptions = {};

/**
 * The values as the driver gets them. Its library takes more than the layer does, and judges by itself.
 *
 * @throws ConfigError
 */
export function readyValues(
  values: Values,
  dialect: Dialect,
  options: StatementOptions | undefined,
): Values {
  if (options?.mapping !== 'library') return checkValues(values, dialect.arrays === true);
  return values.some(isJson) ? values.map((value) => (isJson(value) ? value.text : value)) : values;
}

/** A statement of the layer's own, such as COMMIT. */
export function layerStatement(text: string): CompiledStatement {
  const [operation = text] = text.split(' ', 1);
  return {
    text,
    values: NO_VALUES,
    name: undefined,
    rowMode: undefined,
    mapping: undefined,
    libraryOptions: undefined,
    askTransaction: undefined,
    shown: text,
    operation,
    touchesSession: false,
  };
}

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
