const secretName = /pass(word|phrase|wd)?$|^pwd$|secret|token|^key$|credential|private/i;

/** True for the names of options whose values must never be shown or hashed. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** A URL or any text that holds one, without passwords. */
export function redactUrl(text: string): string {
  return text
    .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@?#]*):[^\s/]*@/gi, '$1:***@')
    .replaceAll(/([?&](?:[a-z_-]*(?:password|passwd|secret|token|sslkey))=)[^&\s#]*/gi, '$1***');
}

/** A copy of options for people to read: secrets are `***`, functions and buffers are named. */
export function redactOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, redactValue(key, value, 0)]),
  );
}

function redactValue(key: string, value: unknown, depth: number): unknown {
  if (value === undefined || value === null) return value;
  if (isSecretName(key)) return '***';
  if (typeof value === 'string') return redactUrl(value);
  if (typeof value === 'function') return '[function]';
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (typeof value !== 'object' || depth > 4) return value;
  if (Array.isArray(value)) return value.map((item) => redactValue('', item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, redactValue(name, item, depth + 1)]),
  );
}
