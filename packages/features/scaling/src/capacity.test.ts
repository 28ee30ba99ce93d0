import { expect, test } from 'vitest';
import { capacity, type CapacityOptions } from './capacity.ts';
import { capacityTable } from './capacity-table.ts';

test.each<[CapacityOptions, users: number, connections: number]>([
  [{}, 200, 20],
  [{ appServers: 5 }, 1_000, 100],
  [{ appServers: 25, databaseConnections: 500 }, 5_000, 500],
  // Not 50,000: that takes five times as many.
  [{ appServers: 5, shards: 10 }, 10_000, 1_000],
  [{ connections: 500, shards: 10 }, 50_000, 5_000],
  [{ connections: 20, queryMs: 10 }, 2_000, 20],
  [{ connections: 7, queryMs: 3, requestsPerUserSecond: 0.1 }, 23_333, 7],
])('%o carries %i users', (options, users, connections) => {
  expect(capacity(options)).toMatchObject({ concurrentUsers: users, connections });
});

test('what the database does not take is of no use', () => {
  expect(
    capacity({ appServers: 10, databaseConnections: 100, activePerConcurrent: 20 }),
  ).toMatchObject({
    connections: 100,
    refusedConnections: 100,
    limitedBy: 'database',
    queriesPerSecond: 1_000,
    concurrentUsers: 1_000,
    activeUsers: 20_000,
  });
});

test('it shows how it counts', () => {
  const formula =
    '10 shards x 100 connections x 1,000 / 100 ms = 10,000 queries/s; / 1 a user and second = 10,000 concurrent users';
  const printed = capacity({ appServers: 5, shards: 10 });
  expect(printed.formula).toBe(formula);
  expect(String(printed)).toBe(formula);
});

test('the table of setups', () => {
  expect(capacityTable().split('\n')).toEqual([
    '| Setup | Connections | Queries/s | Concurrent users | Active users | Monthly cost | Yearly cost | Yearly turnover |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    '| 1 app server and its database | 20 | 200 | 200 | 2,000 | $24 | $288 | $1,176,000 |',
    '| 5 app servers, small database | 100 | 1,000 | 1,000 | 10,000 | $216 | $2,592 | $5,880,000 |',
    '| 25 app servers, big database | 500 | 5,000 | 5,000 | 50,000 | $1,272 | $15,264 | $29,400,000 |',
    '| 10 shards of 5 app servers | 1,000 | 10,000 | 10,000 | 100,000 |  |  |  |',
    '| 10 shards of 25 app servers | 5,000 | 50,000 | 50,000 | 500,000 |  |  |  |',
    '',
    'concurrent users = connections x 1,000 / ms for a request / requests of a user in a second',
    expect.stringContaining('carry 10,000 concurrent users; 50,000 need 5,000 connections'),
  ]);
});

test('wrong input is named', () => {
  expect(() => capacity({ conections: 5 } as never)).toThrow('Did you mean "connections"?');
  expect(() => capacity({ queryMs: 0 })).toThrow('capacity.queryMs must be a number above 0');
});
