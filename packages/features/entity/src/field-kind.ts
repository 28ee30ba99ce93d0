/**
 * What a field holds, decided by the first value that is not null:
 *
 * - `text`: string
 * - `number`: number, whole or not, in a column of double precision; no NaN and no Infinity
 * - `bigint`: bigint of 64 bits
 * - `boolean`
 * - `timestamp`: Date, years 1 to 9999, to the millisecond
 * - `json`: lists and objects
 * - `bytes`: Buffer and other Uint8Arrays
 *
 * Later values must fit. What loses nothing is converted: a whole number in a `bigint` field, a bigint
 * within ±(2^53-1) in a `number` field, and any JSON value in a `json` field. All else is refused,
 * such as a number where text was.
 */
export type FieldKind = 'text' | 'number' | 'bigint' | 'boolean' | 'timestamp' | 'json' | 'bytes';

/** The fields of a type, by name. */
export type Fields = ReadonlyMap<string, FieldKind>;
