import * as core from '@dal/core';
import { DalError, type DalErrorDetails, isDalError } from '@dal/core';

/** An error as data, for the way between two threads. */
export interface CarriedError {
  /** Undefined: something was thrown that is no error; it stands in `thrown`. */
  readonly name: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
  readonly cause: CarriedError | undefined;
  readonly attempts: readonly CarriedError[];
  /** Of an error of the layer. */
  readonly layer: Pick<DalErrorDetails, 'kind' | 'code' | 'fault'> | undefined;
  /** What else the error carries, as far as it can travel. */
  readonly rest: Readonly<Record<string, unknown>>;
  readonly thrown: unknown;
}

/** Longest chain of causes, and most attempts, that travel. */
const MOST = 10;

export function carryError(error: unknown, depth = 0): CarriedError {
  if (!(error instanceof Error) && !isDalError(error)) {
    return { ...nothing, thrown: portable(error) };
  }
  const ofLayer = isDalError(error);
  const further = depth < MOST;
  const attempts = ofLayer && further ? error.attempts.slice(-MOST) : [];
  return {
    ...nothing,
    name: error.name,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined || !further ? undefined : carryError(error.cause, depth + 1),
    attempts: attempts.map((attempt) => carryError(attempt, depth + 1)),
    layer: ofLayer
      ? { kind: error.kind, code: error.code, ...(error.fault ? { fault: error.fault } : {}) }
      : undefined,
    rest: restOf(error),
  };
}

/**
 * The same error again. One of the layer gets its class, and the stack of whoever calls here; any
 * other keeps the stack from where it was made.
 */
export function uncarryError(carried: CarriedError): unknown {
  const { name, message, stack, layer, rest } = carried;
  if (name === undefined) return carried.thrown;
  const cause = carried.cause && uncarryError(carried.cause);
  const error = layer
    ? layerError(name, message, layer, cause)
    : strangeError(name, message, cause);
  // Some libraries make the name a field; then it is one here too.
  if ('name' in rest) Reflect.deleteProperty(error, 'name');
  Object.assign(error, rest);
  if (isDalError(error)) {
    error.attempts = carried.attempts.map((attempt) => uncarryError(attempt) as Error);
  } else if (stack !== undefined) error.stack = stack;
  return error;
}

const nothing: CarriedError = {
  name: undefined,
  message: '',
  stack: undefined,
  cause: undefined,
  attempts: [],
  layer: undefined,
  rest: {},
  thrown: undefined,
};

/** All classes of the layer by name, those of tomorrow included. */
const layerErrors = new Map(
  Object.values(core)
    .filter(
      (it): it is typeof DalError =>
        typeof it === 'function' && (it === DalError || it.prototype instanceof DalError),
    )
    .map((type) => [type.name, type] as const),
);

const strangeErrors = new Map<string, ErrorConstructor>(
  [TypeError, RangeError, SyntaxError, ReferenceError].map((type) => [type.name, type]),
);

function layerError(
  name: string,
  message: string,
  layer: NonNullable<CarriedError['layer']>,
  cause: unknown,
): DalError {
  const known = layerErrors.get(name);
  const error = new (known ?? DalError)(message, { ...layer, ...(cause ? { cause } : {}) });
  if (!known) setName(error, name);
  return error;
}

function strangeError(name: string, message: string, cause: unknown): Error {
  const known = strangeErrors.get(name);
  const error = new (known ?? Error)(message, cause === undefined ? undefined : { cause });
  if (error.name !== name) setName(error, name);
  return error;
}

/** As a class would have it: seen, and not listed. */
function setName(error: Error, name: string): void {
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
}

const TAKEN = new Set(['message', 'stack', 'cause']);
const TAKEN_OF_LAYER = new Set([...TAKEN, 'name', 'attempts', 'kind', 'code', 'fault']);

/** Such as the server's own fields on a driver's error. */
function restOf(error: Error): Record<string, unknown> {
  const rest: Record<string, unknown> = {};
  const taken = isDalError(error) ? TAKEN_OF_LAYER : TAKEN;
  for (const [key, value] of Object.entries(error)) {
    if (taken.has(key)) continue;
    const copy = portable(value);
    if (copy !== undefined || value === undefined) rest[key] = copy;
  }
  return rest;
}

/** What can't travel, such as a socket, is left out. */
function portable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
  }
  try {
    return structuredClone(value);
  } catch {
    return undefined;
  }
}
