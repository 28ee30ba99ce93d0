import type { DefaultTheme } from 'vitepress';
import type { PublicPackage } from '../tooling/workspace.ts';

export const nav: DefaultTheme.NavItem[] = [
  { text: 'Start', link: '/start/postgres' },
  { text: 'Concepts', link: '/concepts/life-of-a-query' },
  { text: 'Guides', link: '/guides/under-your-query-builder' },
  { text: 'Errors', link: '/reference/errors' },
  { text: 'API', link: '/api/core' },
];

const GROUPS: readonly (readonly [title: string, folder: string])[] = [
  ['Foundation', 'packages/foundation/'],
  ['Drivers', 'packages/drivers/'],
  ['Adapters', 'packages/adapters/'],
  ['Features', 'packages/features/'],
  ['Testing', 'packages/testing'],
];

/** One sidebar for all pages. */
export function sidebar(packages: readonly PublicPackage[]): DefaultTheme.SidebarItem[] {
  return [
    group('Start', 'start', {
      postgres: 'PostgreSQL',
      mysql: 'MySQL and MariaDB',
      sqlite: 'SQLite',
    }),
    group('Concepts', 'concepts', {
      'life-of-a-query': 'The life of a query',
      retries: 'What may run again',
      deadlines: 'Deadlines and the stop ladder',
      transactions: 'Transactions',
      pool: 'The pool',
      values: 'Values',
    }),
    group('Guides', 'guides', {
      'under-your-query-builder': 'Under your query builder',
      'pool-sizing': 'Pool sizing',
      'error-handling': 'Error handling',
      transactions: 'Transactions in practice',
      'explain-and-indexes': 'EXPLAIN and indexes',
      shutdown: 'Graceful shutdown',
      hardening: 'Hardening',
      troubleshooting: 'Troubleshooting',
      testing: 'Testing',
      'debug-logging': 'Debug logging',
      'write-a-driver': 'Write a driver',
    }),
    group('Recipes', 'recipes', {
      pgbouncer: 'PgBouncer',
      'rds-proxy': 'RDS Proxy',
      serverless: 'Serverless',
      'rotating-credentials': 'Rotating credentials',
    }),
    group('Coming from', 'coming-from', {
      pg: 'pg',
      mysql2: 'mysql2',
      knex: 'Knex',
      python: 'Python',
    }),
    {
      text: 'Reference',
      collapsed: false,
      items: [
        { text: 'Errors', link: '/reference/errors' },
        { text: 'Options', link: '/reference/options' },
        { text: 'What can be overridden', link: '/reference/overridable' },
        { text: 'What each driver can do', link: '/support' },
        { text: 'Benchmarks', link: '/benchmarks' },
      ],
    },
    {
      text: 'Packages',
      collapsed: true,
      items: GROUPS.map(([title, folder]) => ({
        text: title,
        items: packages
          .filter((one) => one.folder.startsWith(folder))
          .map(({ name, slug }) => ({ text: name, link: `/packages/${slug}` })),
      })).filter(({ items }) => items.length > 0),
    },
    {
      text: 'API',
      collapsed: true,
      items: packages.flatMap(({ name, slug, apiPages }) =>
        apiPages.map((page) => ({ text: `${name}${page}`, link: `/api/${slug}${page}` })),
      ),
    },
    group('The project', '.', {
      'packages/examples': 'Examples',
      'packages/demo': 'The demo',
      'packages/create-driver': 'npm create dal-driver',
      'packages/bench': 'How it is measured',
      architecture: 'Architecture',
      contributing: 'Contributing',
      'support-policy': 'Support policy',
      security: 'Security',
    }),
  ];
}

function group(
  text: string,
  folder: string,
  pages: Readonly<Record<string, string>>,
): DefaultTheme.SidebarItem {
  const at = folder === '.' ? '' : `/${folder}`;
  const items = Object.entries(pages).map(([page, title]) => ({
    text: title,
    link: `${at}/${page}`,
  }));
  return { text, collapsed: folder !== 'start' && folder !== 'concepts', items };
}
