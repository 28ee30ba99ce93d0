import type { Dialect } from '@dal/core';

/** For drivers without a database: time and order are all that their tests are about. */
export const stillDialect: Dialect = {
  name: 'still',
  placeholder: () => '?',
  quote: ['"', '"'],
  lexis: {},
  ping: 'PING',
  transaction: null,
  isolations: [],
  limits: { parameters: 1 },
  types: {} as never,
};
