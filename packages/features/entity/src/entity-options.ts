import { integer, oneOf, type OptionReader, readOptions, wrongOption } from '@dal/core';
import type { EntityOptions, TypeOptions } from './entity-manager.ts';
import type { EntitySettings } from './scene.ts';

/** @throws ConfigError that names the option */
export function readEntityOptions(options: EntityOptions = {}): EntitySettings {
  const {
    history = 'on',
    ddl = 'auto',
    retries = 5,
    types = {},
  } = readOptions('the options of createEntityManager()', { ...options }, readers);
  return { history, ddl, retries, types: new Map(Object.entries(types)) };
}

/** @throws ConfigError that names the option */
export function readTypeOptions(name: string, options: TypeOptions): TypeOptions {
  return readOptions(`the options of "${name.slice(0, 64)}"`, { ...options }, typeReaders);
}

const readIndexes: OptionReader<readonly (string | readonly string[])[]> = (value, where) => {
  const isList = (list: unknown): list is readonly unknown[] =>
    Array.isArray(list) && list.length > 0;
  const isName = (name: unknown): name is string => typeof name === 'string' && name !== '';
  if (Array.isArray(value)) {
    const fits = value.every((one) => isName(one) || (isList(one) && one.every(isName)));
    if (fits) return value;
  }
  throw wrongOption(
    where,
    'a list of fields and lists of fields, such as ["email", ["city", "name"]]',
    value,
  );
};

const typeReaders = { history: oneOf('on', 'off'), indexes: readIndexes };

const readTypes: OptionReader<Record<string, TypeOptions>> = (value, where) => {
  if (typeof value !== 'object' || value === null) {
    throw wrongOption(where, 'an object such as { users: { indexes: ["email"] } }', value);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (typeof one !== 'object' || one === null)
        throw wrongOption(`${where}.${name}`, 'an object', one);
      return [name, readTypeOptions(name, one as TypeOptions)];
    }),
  );
};

const readers = {
  history: oneOf('on', 'off'),
  ddl: oneOf('auto', 'never'),
  types: readTypes,
  retries: integer(0, 1_000),
};
