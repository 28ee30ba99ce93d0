import type { Driver } from '@dal/core';

/** Sessions that do nothing, so that only the pool is measured. */
export const stillDriver: Driver = {
  name: 'still',
  schemes: [],
  dialect: {
    name: 'still',
    placeholder: () => '?',
    quote: ['"', '"'],
    lexis: {},
    ping: 'PING',
    transaction: null,
    isolations: [],
    limits: { parameters: 1 },
    types: {} as never,
  },
  connect: () =>
    Promise.resolve({
      raw: undefined,
      query: () => Promise.resolve({ rows: [], columns: [], affectedRows: 0 }),
      ping: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }),
  classify: () => ({ kind: 'unknown' }),
};
