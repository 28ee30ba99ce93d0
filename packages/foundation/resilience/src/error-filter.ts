import { isDalError, type OptionReader, wrongOption } from '@dal/core';
import { harmlessly } from './harmlessly.ts';

export type ErrorClass = abstract new (...args: never[]) => Error;

/** Which errors: one class, a list of classes, or a function that says `true`. */
export type ErrorFilter = ErrorClass | readonly ErrorClass[] | ((error: unknown) => boolean);

/** Reads an option that chooses errors. */
export const errorFilter: OptionReader<(error: unknown) => boolean> = (value, where) => {
  if (isErrorClass(value)) return (error) => isOf(error, value);
  if (Array.isArray(value) && value.length > 0 && value.every(isErrorClass)) {
    const classes = [...value];
    return (error) => classes.some((type) => isOf(error, type));
  }
  if (typeof value === 'function') {
    const choose = value as (error: unknown) => unknown;
    // A promise is not a yes: it would let everything through.
    return (error) => harmlessly(where, () => choose(error)) === true;
  }
  throw wrongOption(where, 'an error class, a list of error classes or a function', value);
};

function isErrorClass(value: unknown): value is ErrorClass {
  if (typeof value !== 'function') return false;
  const prototype = value.prototype as unknown;
  return value === Error || prototype instanceof Error || isDalError(prototype);
}

/** Also true for the same class of the layer from another copy of the package. */
function isOf(error: unknown, type: ErrorClass): boolean {
  if (error instanceof type) return true;
  if (!isDalError(error) || !isDalError(type.prototype)) return false;
  for (let one: unknown = error; isDalError(one); one = Object.getPrototypeOf(one)) {
    if (one.constructor.name === type.name) return true;
  }
  return false;
}
