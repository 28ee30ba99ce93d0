import { ConfigError } from '@dal/core';

/** Any function or method, its own type kept. */
export type AnyFunction = (...args: never[]) => unknown;

/** What a standard decorator is told about its method. */
export interface MethodContext {
  readonly kind: 'method';
  readonly name: string | symbol;
  readonly static: boolean;
}

/** Wraps a function, or decorates a method: `tool(options)(fn)`, `@tool(options) method() {}`. */
export type FunctionWrapper = <Fn extends AnyFunction>(fn: Fn, context?: MethodContext) => Fn;

/** A function as a wrapper calls it. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** What a function is called in messages. */
export interface CallName {
  readonly method: string;
  /** Known once it runs: `this` of a method knows its class. */
  className(self: unknown): string | undefined;
}

/**
 * The three ways to write a tool: `tool(options)` answers a wrapper, `tool(fn, options)` wraps at
 * once, and `@tool` alone decorates with the defaults.
 *
 * @param wrap gives the function around one function; called once for each function
 */
export function applyTool<Options>(
  what: string,
  first: Options | AnyFunction | undefined,
  second: Options | MethodContext | undefined,
  wrap: (options: Options | undefined) => (fn: Callable, name: CallName) => Callable,
): unknown {
  if (typeof first !== 'function') return wrapper(what, wrap(first));
  if (isMethodContext(second)) return wrapper(what, wrap(undefined))(first as AnyFunction, second);
  return wrapper(what, wrap(second))(first as AnyFunction);
}

function wrapper(what: string, wrap: (fn: Callable, name: CallName) => Callable): FunctionWrapper {
  return (fn, context) => {
    if (typeof fn !== 'function' || (context !== undefined && !isMethodContext(context))) {
      throw new ConfigError(
        `${what} takes a function, or decorates a method with standard decorators; "experimentalDecorators" must be off, and fields, accessors and classes can't be decorated.`,
        { kind: 'usage', code: 'DAL_CONFIG_VALUE' },
      );
    }
    const inner = fn as unknown as Callable;
    const wrapped = wrap(inner, callName(inner, context));
    if (answersLater(inner)) late.add(wrapped);
    Object.defineProperty(wrapped, 'name', { value: inner.name, configurable: true });
    Object.defineProperty(wrapped, 'length', { value: inner.length, configurable: true });
    return wrapped as unknown as typeof fn;
  };
}

/** Wrapped async functions, which the language can't tell from others any more. */
const late = new WeakSet<object>();

/** Whether a function surely answers with a promise; a plain one that returns a promise can't be told. */
export function answersLater(fn: AnyFunction | Callable): boolean {
  return Object.prototype.toString.call(fn) === '[object AsyncFunction]' || late.has(fn);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

function isMethodContext(value: unknown): value is MethodContext {
  return (
    typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'method'
  );
}

function callName(fn: Callable, context: MethodContext | undefined): CallName {
  if (context === undefined) {
    return { method: fn.name || 'anonymous', className: () => undefined };
  }
  return {
    method: String(context.name),
    className: (self) => classNameOf(context.static ? self : prototypeOf(self)?.constructor),
  };
}

function prototypeOf(value: unknown): { readonly constructor?: unknown } | undefined {
  return value === undefined || value === null
    ? undefined
    : ((Object.getPrototypeOf(value) as { constructor?: unknown } | null) ?? undefined);
}

function classNameOf(type: unknown): string | undefined {
  return typeof type === 'function' && type.name !== '' ? type.name : undefined;
}
