import { capacity, type CapacityOptions, number } from './capacity.ts';

/** Setups to compare with one's own. What they cost is an example, not an offer. */
const setups: readonly {
  readonly name: string;
  readonly options: CapacityOptions;
  readonly monthly?: number;
}[] = [
  { name: '1 app server and its database', options: { databaseConnections: 100 }, monthly: 24 },
  {
    name: '5 app servers, small database',
    options: { appServers: 5, databaseConnections: 100 },
    monthly: 216,
  },
  {
    name: '25 app servers, big database',
    options: { appServers: 25, databaseConnections: 500 },
    monthly: 1_272,
  },
  { name: '10 shards of 5 app servers', options: { appServers: 5, shards: 10 } },
  { name: '10 shards of 25 app servers', options: { appServers: 25, shards: 10 } },
];

/** What each active user pays in a month, in the example. */
const PRICE = 49;

/**
 * Typical setups and what they carry, as a Markdown table: 20 connections on each app server, 100 ms
 * for a request, one request a second for each user who is there, 10 accounts for each of those.
 */
export function capacityTable(): string {
  const rows = setups.map(({ name, options, monthly }) => {
    const { connections, queriesPerSecond, concurrentUsers, activeUsers } = capacity(options);
    const cost =
      monthly === undefined
        ? ['', '', '']
        : [
            `$${number(monthly)}`,
            `$${number(monthly * 12)}`,
            `$${number(activeUsers * PRICE * 12)}`,
          ];
    return [
      name,
      ...[connections, queriesPerSecond, concurrentUsers, activeUsers].map(number),
      ...cost,
    ];
  });
  const lines = [head, head.map((_, place) => (place === 0 ? '---' : '---:')), ...rows];
  return [
    ...lines.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    'concurrent users = connections x 1,000 / ms for a request / requests of a user in a second',
    `10 shards x 5 app servers x 20 = 1,000 connections carry 10,000 concurrent users; 50,000 need 5,000 connections. Yearly turnover: active users x $${PRICE} x 12.`,
  ].join('\n');
}

const head = [
  'Setup',
  'Connections',
  'Queries/s',
  'Concurrent users',
  'Active users',
  'Monthly cost',
  'Yearly cost',
  'Yearly turnover',
];
