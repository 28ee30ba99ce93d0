import {
  checkIdentifier,
  checkValues,
  ConfigError,
  type DalError,
  type Dialect,
  type Row,
  type Values,
} from '@dal/core';

/** Turns the rows of `bulkInsert` into lists of values, in the order of the columns. */
export class RowValues {
  readonly columns: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #arrays: boolean;
  /** A column that every object seems to have, such as `constructor`. */
  readonly #inherited: ReadonlySet<string>;

  /** @throws ConfigError */
  constructor(first: unknown, columns: readonly string[] | undefined, dialect: Dialect) {
    this.columns = columns === undefined ? keysOf(first) : checkColumns(columns);
    this.#known = new Set(this.columns);
    this.#arrays = dialect.arrays === true;
    this.#inherited = new Set(this.columns.filter((name) => name in Object.prototype));
  }

  /** @throws ConfigError that names the row, counted from 1, and never a value */
  of(row: unknown, index: number): readonly unknown[] {
    const values = Array.isArray(row) ? this.#fromList(row, index) : this.#fromObject(row, index);
    try {
      return checkValues(values, this.#arrays);
    } catch (error) {
      throw inRow(error, index, this.columns);
    }
  }

  #fromList(row: Values, index: number): Values {
    if (row.length === this.columns.length) return row;
    throw refused(
      index,
      `has ${row.length} values for ${this.columns.length} columns (${this.columns.slice(0, 10).join(', ')})`,
    );
  }

  #fromObject(row: unknown, index: number): Values {
    if (typeof row !== 'object' || row === null) {
      throw refused(
        index,
        `is ${row === null ? 'null' : `a ${typeof row}`}, not a list or an object`,
      );
    }
    const given = row as Row;
    let isEmpty = true;
    for (const key in given) {
      isEmpty = false;
      if (this.#known.has(key)) continue;
      throw refused(
        index,
        `has the key "${key.slice(0, 64)}", which is none of the columns (${this.columns.slice(0, 10).join(', ')}). Name all columns in { columns: [...] }`,
      );
    }
    if (isEmpty) throw refused(index, 'is an object without keys');
    const values: unknown[] = [];
    for (const name of this.columns) {
      const isOwn = this.#inherited.size === 0 || Object.hasOwn(given, name);
      values.push((isOwn ? given[name] : null) ?? null);
    }
    return values;
  }
}

/** The layer's error, saying which row it was; counted from 0 here, and from 1 in words. */
export function inRow(error: unknown, index: number, columns?: readonly string[]): unknown {
  if (!(error instanceof Error)) return error;
  const place = /^Value (\d+) of the statement/.exec(error.message);
  if (place) {
    const column = columns?.[Number(place[1]) - 1];
    const value = column === undefined ? `value ${place[1]}` : `column "${column}"`;
    error.message = `In row ${index + 1}, ${value}${error.message.slice(place[0].length)}`;
    error.message = error.message.replace('Nothing was sent.', 'Nothing of it stays.');
  } else error.message = `In row ${index + 1}: ${error.message}`;
  return error;
}

/** Adds which row it was, where the driver knows it; `before` rows came before that call's first. */
export function inRowOf(error: unknown, before: number): unknown {
  const { rowIndex } = ((error as DalError).cause ?? {}) as { rowIndex?: unknown };
  return typeof rowIndex === 'number' ? inRow(error, before + rowIndex) : error;
}

function keysOf(first: unknown): readonly string[] {
  if (Array.isArray(first)) {
    throw new ConfigError(
      'Rows that are lists need the names of their columns: { columns: ["id", "name"] }. Nothing was sent.',
      { kind: 'usage', code: 'DAL_COLUMNS' },
    );
  }
  if (typeof first !== 'object' || first === null) {
    throw refused(
      0,
      `is ${first === null ? 'null' : `a ${typeof first}`}, not a list or an object`,
    );
  }
  const keys = Object.keys(first);
  if (keys.length === 0) throw refused(0, 'is an object without keys');
  return checkColumns(keys);
}

function checkColumns(columns: readonly string[]): readonly string[] {
  if (!Array.isArray(columns) || columns.length === 0) {
    throw new ConfigError('columns must be a list of at least one name. Nothing was sent.', {
      kind: 'usage',
      code: 'DAL_COLUMNS',
    });
  }
  for (const name of columns) checkIdentifier(name);
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice === undefined) return [...columns];
  throw new ConfigError(`The column "${twice}" is named twice. Nothing was sent.`, {
    kind: 'usage',
    code: 'DAL_COLUMNS',
  });
}

function refused(index: number, why: string): ConfigError {
  return new ConfigError(`Row ${index + 1} ${why}. Nothing of it stays.`, {
    kind: 'usage',
    code: 'DAL_ROW',
  });
}
