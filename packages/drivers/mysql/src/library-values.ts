import { JsonText } from './execute-packet.ts';
import type { Flavor } from './flavor.ts';

/**
 * Values as mysql2 writes them for a prepared statement: a Date in local time, lists and objects as
 * JSON. Two are taken more kindly: undefined is NULL, and whole numbers are no doubles, so that LIMIT
 * takes them.
 */
export function valuesOfLibrary(values: readonly unknown[], flavor: Flavor): unknown[] {
  return values.map((value) => {
    if (value === undefined) return null;
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if (value instanceof Date) return localAsUtc(value);
    const text = JSON.stringify(value);
    return flavor === 'mysql' ? new JsonText(text) : text;
  });
}

/** The moment at which clocks in UTC show what those here show at this one. */
function localAsUtc(date: Date): Date {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
}
