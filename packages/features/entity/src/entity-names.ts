import { suggest } from '@dal/core';
import type { EngineWords } from './engine-words.ts';
import { EntityFieldError, EntityTypeError } from './entity-errors.ts';

/** Where all types, fields and indexes are written down. */
export const FIELDS_TABLE = 'dal_entity_fields';

/** mysql2 refuses every row with a column of such a name, so one save would lock up the whole type. */
const PRIVATE_NAMES: ReadonlySet<string> = new Set([
  '__proto__',
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
]);

const HISTORY_SUFFIX = '_history';
const MAX_KEY = 255;

export function historyTableOf(type: string): string {
  return type + HISTORY_SUFFIX;
}

/** @throws EntityFieldError when no table can have this name */
export function checkTypeName(name: unknown, words: EngineWords): asserts name is string {
  const what = 'The name of the entity type';
  checkName(name, what, words);
  if (name.endsWith(HISTORY_SUFFIX)) {
    throw refused(`${what} ${shown(name)} ends in "${HISTORY_SUFFIX}", as tables of versions do.`);
  }
  if (name === FIELDS_TABLE) throw refused(`${what} is that of the table that all types are in.`);
  checkName(historyTableOf(name), `${what} with "${HISTORY_SUFFIX}" behind it`, words);
}

/** @throws EntityFieldError when no column can have this name */
export function checkFieldName(name: string, type: string, words: EngineWords): void {
  checkName(name, `The name of a field of ${shown(type)}`, words);
}

/** @throws EntityTypeError for what can be no id */
export function checkId(id: unknown, type: string): asserts id is string {
  checkKeyText(id, `The id of an entity of ${shown(type)}`);
  if (id === '') throw wrongKey(`The id of an entity of ${shown(type)} is empty.`);
}

/** @throws EntityTypeError when the text does not fit a key of 255 characters */
export function checkKeyText(text: unknown, what: string): asserts text is string {
  if (typeof text !== 'string') throw wrongKey(`${what} must be text, not ${wordFor(text)}.`);
  if (text.length > MAX_KEY) {
    throw wrongKey(`${what} has ${text.length} characters, and ${MAX_KEY} are the most.`);
  }
  const flaw = flawOf(text);
  if (flaw) throw wrongKey(`${what} holds ${flaw}.`);
}

/** What no engine keeps as it is; undefined when there is nothing of the kind. */
export function flawOf(text: string): string | undefined {
  if (text.includes('\0')) return 'a NUL character';
  return text.isWellFormed() ? undefined : 'half a character (a lone surrogate)';
}

/** For messages: names are not secret, but they may be long. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}...` : name);
}

export function wordFor(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a Date';
  if (value instanceof Uint8Array) return 'bytes';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

export function unknownField(
  name: string,
  type: string,
  known: Iterable<string>,
): EntityFieldError {
  const likely = suggest(name, known);
  const advice = likely === undefined ? '' : ` Did you mean ${shown(likely)}?`;
  return refused(
    `Entities of ${shown(type)} have no field ${shown(name)}.${advice} A field is there from the first value that was saved, or from em.prepare(name, sample).`,
  );
}

function checkName(
  name: unknown,
  what: string,
  { identifiers }: EngineWords,
): asserts name is string {
  if (typeof name !== 'string') throw refused(`${what} must be text, not ${wordFor(name)}.`);
  if (name === '') throw refused(`${what} is empty.`);
  const flaw = flawOf(name);
  if (flaw) throw refused(`${what} holds ${flaw}.`);
  if (PRIVATE_NAMES.has(name)) throw refused(`${what} is ${shown(name)}, which objects need.`);
  if (name.trimEnd() !== name) throw refused(`${what} ${shown(name)} ends in white space.`);
  const { max, unit, bmpOnly = false } = identifiers;
  const length = unit === 'bytes' ? Buffer.byteLength(name) : name.length;
  if (length > max) {
    throw refused(`${what} ${shown(name)} has ${length} ${unit}, and ${max} are the most here.`);
  }
  if (bmpOnly && /[\u{10000}-\u{10ffff}]/u.test(name)) {
    throw refused(
      `${what} ${shown(name)} holds a character beyond U+FFFF, which no name has here.`,
    );
  }
}

function refused(message: string): EntityFieldError {
  return new EntityFieldError(`${message} Nothing was sent.`, {
    kind: 'usage',
    code: 'DAL_ENTITY_FIELD',
  });
}

function wrongKey(message: string): EntityTypeError {
  return new EntityTypeError(`${message} Nothing was sent.`, {
    kind: 'usage',
    code: 'DAL_ENTITY_TYPE',
  });
}
