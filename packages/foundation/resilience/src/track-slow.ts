import { duration, type OptionReader, readOptions, text, wrongOption } from '@dal/core';
import { describeShapes } from './describe-shape.ts';
import { harmlessly } from './harmlessly.ts';
import {
  type AnyFunction,
  applyTool,
  type Callable,
  type CallName,
  type FunctionWrapper,
  isThenable,
  type MethodContext,
} from './wrap-function.ts';

export interface TrackSlowOptions {
  /** Calls that take longer are reported when they end. Default: 2 s. */
  readonly thresholdMs?: number | string;
  /** What the function is called in reports. Default: its class and its own name. */
  readonly name?: string;
  /** Takes the reports. Default: `process.emitWarning` with the code `DAL_SLOW_CALL`. */
  readonly log?: (call: SlowCall) => void;
}

export interface SlowCall {
  /** `Orders.find`, or the function's name. */
  readonly name: string;
  /** Of a decorated method: the class of the object, or the class itself for static ones. */
  readonly className: string | undefined;
  readonly method: string;
  readonly durationMs: number;
  readonly thresholdMs: number;
  /** Types and sizes such as `string` and `Array(3)`; never a value. */
  readonly arguments: readonly string[];
  /** It ended with an error, which went to its caller. */
  readonly failed: boolean;
}

/**
 * Reports calls that took long. Wraps functions and decorates methods, sync and async; answers and
 * errors pass through.
 *
 * @throws ConfigError for wrong options, when it is applied
 * @example
 * const report = trackSlow(buildReport, 500);
 *
 * class Orders {
 *   @trackSlow({ thresholdMs: '1s', log: (call) => logger.warn(call) })
 *   async find(id: number) { ... }
 * }
 */
export function trackSlow(options?: number | string | TrackSlowOptions): FunctionWrapper;
export function trackSlow<Fn extends AnyFunction>(
  fn: Fn,
  options?: number | string | TrackSlowOptions | MethodContext,
): Fn;
export function trackSlow(
  first?: number | string | TrackSlowOptions | AnyFunction,
  second?: number | string | TrackSlowOptions | MethodContext,
): unknown {
  return applyTool('trackSlow', first, second, (options) => {
    const settings = readTrackSlowOptions(options);
    return (fn, name) => tracked(fn, name, settings);
  });
}

interface TrackSlowSettings {
  readonly thresholdMs: number;
  readonly name: string | undefined;
  readonly log: (call: SlowCall) => void;
}

function tracked(fn: Callable, name: CallName, settings: TrackSlowSettings): Callable {
  const { thresholdMs } = settings;
  return function tracking(this: unknown, ...args) {
    const startedAt = performance.now();
    const end = (failed: boolean): void => {
      const durationMs = performance.now() - startedAt;
      if (durationMs > thresholdMs) report(settings, name, this, args, durationMs, failed);
    };
    let result: unknown;
    try {
      result = fn.apply(this, args);
    } catch (error) {
      end(true);
      throw error;
    }
    if (!isThenable(result)) {
      end(false);
      return result;
    }
    return result.then(
      (value) => {
        end(false);
        return value;
      },
      (error: unknown) => {
        end(true);
        throw error;
      },
    );
  };
}

function report(
  { thresholdMs, name: given, log }: TrackSlowSettings,
  { method, className: classOf }: CallName,
  self: unknown,
  args: readonly unknown[],
  durationMs: number,
  failed: boolean,
): void {
  harmlessly('The log of trackSlow', () => {
    const className = classOf(self);
    const name = given ?? (className === undefined ? method : `${className}.${method}`);
    const shapes = describeShapes(args);
    return log({ name, className, method, durationMs, thresholdMs, arguments: shapes, failed });
  });
}

function warn(call: SlowCall): void {
  const { name, durationMs, thresholdMs, failed } = call;
  process.emitWarning(
    `${name}(${call.arguments.join(', ')}) took ${Math.round(durationMs)} ms${failed ? ' and failed' : ''}; more than ${thresholdMs} ms is slow.`,
    { type: 'SlowCallWarning', code: 'DAL_SLOW_CALL' },
  );
}

function readTrackSlowOptions(
  options: number | string | TrackSlowOptions | undefined,
): TrackSlowSettings {
  const input = typeof options === 'object' ? { ...options } : { thresholdMs: options };
  const read = readOptions('trackSlow', input, readers, aliases);
  return { thresholdMs: read.thresholdMs ?? 2_000, name: read.name, log: read.log ?? warn };
}

const logger: OptionReader<(call: SlowCall) => void> = (value, where) => {
  if (typeof value === 'function') return value as (call: SlowCall) => void;
  throw wrongOption(where, 'a function', value);
};

const readers = { thresholdMs: duration, name: text, log: logger };

const aliases = { threshold: 'thresholdMs', ms: 'thresholdMs', logger: 'log' } as const;
