/**
 * Reads the form that a server writes for nearly every timestamp: `2026-01-31 12:30:00`, with or
 * without digits behind the seconds, in UTC. Undefined for all others, which take the longer way.
 */
export function usualTimestamp(text: string): Date | undefined {
  const { length } = text;
  if (
    length < 19 ||
    text.charCodeAt(4) !== MINUS ||
    text.charCodeAt(7) !== MINUS ||
    text.charCodeAt(10) !== SPACE ||
    text.charCodeAt(13) !== COLON ||
    text.charCodeAt(16) !== COLON
  ) {
    return undefined;
  }
  let at = 19;
  let milliseconds = 0;
  if (text.charCodeAt(at) === POINT) {
    let worth = 100;
    for (at++; at < length; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      // Digits behind the milliseconds are cut.
      if (worth >= 1) milliseconds += digit * worth;
      worth /= 10;
    }
    if (at === 20 || at > 29) return undefined;
  }
  if (at !== length && !(at === length - 3 && text.endsWith('+00'))) return undefined;
  const year = pair(text, 0) * 100 + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  // Not a number when one of them isn't made of digits.
  if (!(year >= 100 && month >= 1 && day >= 1)) return undefined;
  const time = Date.UTC(
    year,
    month - 1,
    day,
    pair(text, 11),
    pair(text, 14),
    pair(text, 17),
    milliseconds,
  );
  return Number.isNaN(time) ? undefined : new Date(time);
}

const SPACE = 32;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const COLON = 58;

function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
