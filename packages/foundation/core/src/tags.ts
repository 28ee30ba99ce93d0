/** What is known of a statement's origin, for the server's logs. */
export type Tags = Readonly<Record<string, string | number | boolean>>;

/** `sqlcommenter`: `key='value'`, URL-encoded, as tracing tools read it. `plain`: ` key=value `. */
export type TagFormat = 'sqlcommenter' | 'plain';

/**
 * A comment to put behind a statement, with a space before it; '' without tags.
 *
 * Keys are sorted, so the same tags make the same text. Whatever could end or open a comment is
 * encoded. Tags never fail a statement: a value is cut at 1,024 characters, a key at 64, and tags
 * that would make the comment longer than 8,192 are left out. Append it after placeholders are
 * rewritten.
 */
export function tagComment(tags: Tags | undefined, format: TagFormat = 'sqlcommenter'): string {
  if (tags === undefined) return '';
  const isPlain = format === 'plain';
  const parts: string[] = [];
  let length = 0;
  for (const key of Object.keys(tags).toSorted()) {
    const value: unknown = tags[key];
    if (key === '' || !isScalar(value)) continue;
    const name = encode(key, KEY_LENGTH);
    const text = encode(String(value), VALUE_LENGTH);
    const part = isPlain ? `${name}=${text}` : `${name}='${text}'`;
    length += part.length + 1;
    if (length > COMMENT_LENGTH) break;
    parts.push(part);
  }
  if (parts.length === 0) return '';
  return isPlain ? ` /* ${parts.join(', ')} */` : ` /*${parts.join(',')}*/`;
}

const KEY_LENGTH = 64;
const VALUE_LENGTH = 1_024;
const COMMENT_LENGTH = 8_192;

/** `encodeURIComponent` leaves these: `'` ends a value, `*` a comment, and `/*!` is code on MySQL. */
const LEFT_OVER = /[!'()*]/g;

function encode(text: string, maxLength: number): string {
  // A cut may fall between the halves of a character, which cannot be encoded.
  const whole = text.slice(0, maxLength).toWellFormed();
  return encodeURIComponent(whole).replace(LEFT_OVER, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function isScalar(value: unknown): value is string | number | boolean | bigint {
  return (
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    typeof value === 'bigint'
  );
}
