import { isDalError } from '@dal/core';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { CircuitBreakerOptions } from './circuit-breaker-options.ts';
import {
  answersLater,
  type AnyFunction,
  applyTool,
  type Callable,
  type FunctionWrapper,
  isThenable,
  type MethodContext,
} from './wrap-function.ts';

export interface CircuitBreakerWrapperOptions extends CircuitBreakerOptions {
  /** Functions with the same name share the breaker of `CircuitBreaker.get(name)`. Default: none shared. */
  readonly name?: string;
}

/**
 * Puts a circuit breaker before a function or method, sync or async. Without a name each function has
 * a breaker of its own, and a method has one for all instances.
 *
 * While it is open, calls fail with `CircuitOpenError`: async functions reject, others throw.
 *
 * @throws ConfigError for wrong options, when it is applied
 * @example
 * const load = circuitBreaker({ name: 'orders' })((id: number) => db.queryOne('SELECT ...', [id]));
 */
export function circuitBreaker(
  options?: CircuitBreakerWrapperOptions | CircuitBreaker,
): FunctionWrapper;
export function circuitBreaker<Fn extends AnyFunction>(
  fn: Fn,
  options?: CircuitBreakerWrapperOptions | CircuitBreaker | MethodContext,
): Fn;
export function circuitBreaker(
  first?: CircuitBreakerWrapperOptions | CircuitBreaker | AnyFunction,
  second?: CircuitBreakerWrapperOptions | CircuitBreaker | MethodContext,
): unknown {
  return applyTool('circuitBreaker', first, second, (options) => {
    if (options instanceof CircuitBreaker) return (fn) => guard(fn, options);
    const { name, ...rest } = options ?? {};
    // A shared one is made now, so that wrong options are refused where they are written.
    const shared = name === undefined ? undefined : CircuitBreaker.get(name, rest);
    return (fn, { method }) => guard(fn, shared ?? new CircuitBreaker(method, rest));
  });
}

function guard(fn: Callable, breaker: CircuitBreaker): Callable {
  let isLate = answersLater(fn);
  return function guarded(this: unknown, ...args) {
    try {
      const result = breaker.run(() => fn.apply(this, args));
      if (!isLate) isLate = isThenable(result);
      return result;
    } catch (error) {
      // Who calls an async function listens to its promise only.
      if (isLate && isDalError(error) && error.code === 'DAL_CIRCUIT_OPEN') {
        return Promise.reject(error);
      }
      throw error;
    }
  };
}
