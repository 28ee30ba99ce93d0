import { ConfigError } from './errors.ts';

const brand = Symbol.for('dal.json');

/** A value to be stored as JSON; made by `json()`. */
export class Json {
  /** The JSON text, made once. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Inside another value it is the JSON it holds. */
  toJSON(): unknown {
    return parseExact(this.text, (_key, value, { source }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) ? rawJSON(source) : value,
    );
  }

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }
}

/**
 * Says that a value is meant as JSON: `json({ a: 1 })`, `json([1, 2])`, `json(null)`.
 *
 * A bigint is written as digits. Properties that are undefined are left out, as JSON does.
 *
 * @throws ConfigError naming the key, for what JSON cannot hold: functions, symbols, NaN and
 * Infinity, `Map` and `Set`, undefined in an array or as the value itself, circles
 */
export function json(value: unknown): Json {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, exact);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const circle = error instanceof TypeError ? CIRCLE.exec(error.message) : null;
    const what = circle
      ? `holds itself at ${circle[1]}`
      : 'could not be written: a toJSON() in it threw';
    throw refusal(what, error);
  }
  if (text === undefined) throw refusal('is undefined; use json(null), or null for SQL NULL');
  return new Json(text);
}

/** True for what `json()` made, also in another copy of the package. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && brand in value;
}

/** The engine's own words, which name keys and never values. */
const CIRCLE = /(?:---|->) ((?:property|index) .+) closes the circle/;

/** Missing in the types of the language's library, not in the oldest Node that we support. */
const { rawJSON, parse: parseExact } = JSON as unknown as {
  readonly rawJSON: (text: string) => unknown;
  readonly parse: (
    text: string,
    revive: (key: string, value: unknown, context: { readonly source: string }) => unknown,
  ) => unknown;
};

function exact(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJSON(value.toString());
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw refusal(`holds ${value} ${place(key)}`);
  }
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw refusal(`holds a ${typeof value} ${place(key)}`);
  }
  if (value === undefined && Array.isArray(this)) throw refusal(`holds undefined ${place(key)}`);
  if (value instanceof Map || value instanceof Set) {
    throw refusal(`holds a ${value.constructor.name} ${place(key)}, which JSON would empty`);
  }
  return value;
}

function place(key: string): string {
  return key === '' ? 'itself' : `at ${JSON.stringify(key.slice(0, 64))}`;
}

function refusal(what: string, cause?: unknown): ConfigError {
  return new ConfigError(`The value given to json() ${what}.`, {
    kind: 'data',
    code: 'DAL_JSON',
    cause,
  });
}
