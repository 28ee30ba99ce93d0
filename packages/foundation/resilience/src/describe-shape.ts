/** Below it a text's length would say something about the text itself, a password's for example. */
const SHORT_TEXT = 100;
const MOST = 10;

/** Arguments as they may be logged: their types and sizes, never a value and never a key. */
export function describeShapes(values: readonly unknown[]): string[] {
  const shapes = values.slice(0, MOST).map(describeShape);
  return values.length > MOST ? [...shapes, `${values.length - MOST} more`] : shapes;
}

function describeShape(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') {
    return value.length < SHORT_TEXT ? 'string' : `string(${value.length})`;
  }
  if (typeof value !== 'object') return typeof value;
  try {
    return describeObject(value);
  } catch {
    // A proxy, or one that was taken back.
    return 'object';
  }
}

function describeObject(value: object): string {
  const name = className(value);
  if (Array.isArray(value)) return `${name}(${value.length})`;
  if (ArrayBuffer.isView(value)) return `${name}(${value.byteLength})`;
  if (value instanceof Map || value instanceof Set) return `${name}(${value.size})`;
  return name === 'Object' ? `Object(${Object.keys(value).length})` : name;
}

/** Of its prototype, since a field "constructor" of the object itself may be anything. */
function className(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null;
  const type = prototype === null ? undefined : prototype.constructor;
  const name = typeof type === 'function' ? type.name : 'Object';
  return /^[\p{L}_$][\p{L}\d_$]{0,63}$/u.test(name) ? name : 'object';
}
