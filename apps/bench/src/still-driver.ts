import type { Driver, NativeResult } from '@dal/core';

/** One row, always the same: making rows is the driver's business and isn't measured. */
const answer: NativeResult = {
  rows: [{ id: 1, name: 'Visitor number 1', email: 'visitor-1@example.com', visits: 7 }],
  columns: [{ name: 'id' }, { name: 'name' }, { name: 'email' }, { name: 'visits' }],
  affectedRows: 0,
};

/** Sessions that do nothing, so that only what stands above them is measured. */
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
    limits: { parameters: 10 },
    types: {} as never,
  },
  connect: () =>
    Promise.resolve({
      raw: undefined,
      query: () => Promise.resolve(answer),
      ping: () => Promise.resolve(),
      close: () => Promise.resolve(),
    }),
  classify: () => ({ kind: 'unknown' }),
};
