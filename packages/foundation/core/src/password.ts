import { type OptionReader, wrongOption } from './read-options.ts';

/** A password, or a function that is asked for it at every connect (for passwords that expire). */
export type Password = string | (() => string | Promise<string>);

export const readPassword: OptionReader<Password> = (value, where) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'function') return value as () => string | Promise<string>;
  throw wrongOption(where, 'a text or a function', value);
};
