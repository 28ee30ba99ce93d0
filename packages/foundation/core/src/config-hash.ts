import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isSecretName, redactUrl } from './redact.ts';

/**
 * Names a configuration: the same in every process, without anything secret in it.
 * 16 hex digits of SHA-256 over the options with sorted keys.
 */
export function configHash(driver: string, options: Readonly<Record<string, unknown>>): string {
  const text = `${driver}\n${canonical(options, false)}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

interface Tagging {
  /** Made anew in every process and never shown, so the tag can't be used to guess a password. */
  readonly key: Buffer;
  readonly functions: WeakMap<object, number>;
  count: number;
}

// One for the process: a module that is loaded again must know its configurations again.
const slot = Symbol.for('dal.tagging/1');
if (!Object.hasOwn(globalThis, slot)) {
  const made: Tagging = { key: randomBytes(32), functions: new WeakMap(), count: 0 };
  Object.defineProperty(globalThis, slot, { value: made });
}
const tagging = (globalThis as unknown as Record<typeof slot, Tagging>)[slot];

/**
 * Tells two secrets of one configuration apart in this process, so that a wrong password never gets
 * a pool that the right one opened. Functions are told apart by identity.
 */
export function secretTag(options: Readonly<Record<string, unknown>>): string {
  return createHmac('sha256', tagging.key).update(canonical(options, true)).digest('hex');
}

function canonical(value: unknown, withSecrets: boolean, key = ''): string {
  if (!withSecrets && isSecretName(key)) return '"***"';
  if (typeof value === 'string') return JSON.stringify(withSecrets ? value : redactUrl(value));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return withSecrets ? `"f${functionNumber(value)}"` : '"f"';
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonical(item, withSecrets, key)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    const parts = entries.map(
      ([name, item]) => `${JSON.stringify(name)}:${canonical(item, withSecrets, name)}`,
    );
    return `{${parts.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

function functionNumber(value: object): number {
  const known = tagging.functions.get(value) ?? ++tagging.count;
  tagging.functions.set(value, known);
  return known;
}
