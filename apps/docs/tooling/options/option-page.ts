import ts from 'typescript';
import { cell, docOf, parseSource, walk } from '../parse-source.ts';

interface Section {
  readonly title: string;
  readonly intro: string;
  readonly file: string;
  readonly name: string;
  /** The constant with the names that other libraries have for these options. */
  readonly strangers?: string;
}

const CORE = 'packages/foundation/core/src';
const POOL = 'packages/foundation/pool/src/pool-options.ts';
const DATABASE = 'packages/foundation/database/src';
const RESILIENCE = 'packages/foundation/resilience/src';
const DRIVERS = 'packages/drivers';

const SECTIONS: readonly Section[] = [
  {
    title: 'A database',
    intro: 'For every engine, beside those of the driver: `createDatabase(url, { ... })`.',
    file: `${DATABASE}/database-options.ts`,
    name: 'DatabaseOptions',
  },
  {
    title: 'pool',
    intro:
      'In `pool: { ... }`. What a profile changes stands on the page of [the pool](../packages/pool.md).',
    file: POOL,
    name: 'PoolOptions',
    strangers: 'strangers',
  },
  {
    title: 'retry',
    intro: 'In `retry: { ... }`, for statements.',
    file: `${DATABASE}/database-options.ts`,
    name: 'RetryOptions',
  },
  {
    title: 'circuitBreaker',
    intro: 'In `circuitBreaker: { ... }`.',
    file: `${RESILIENCE}/circuit-breaker-options.ts`,
    name: 'CircuitBreakerOptions',
    strangers: 'aliases',
  },
  {
    title: 'Any server',
    intro: 'PostgreSQL, MySQL and MariaDB take these.',
    file: `${CORE}/server-options.ts`,
    name: 'ServerConfig',
    strangers: 'SERVER_ALIASES',
  },
  {
    title: 'Values',
    intro: 'Every driver takes these: how values arrive.',
    file: `${CORE}/values.ts`,
    name: 'ValueOptions',
  },
  {
    title: 'PostgreSQL',
    intro: 'Beside those of any server.',
    file: `${DRIVERS}/postgres/src/postgres-options.ts`,
    name: 'PostgresConfig',
    strangers: 'aliases',
  },
  {
    title: 'MySQL and MariaDB',
    intro: 'Beside those of any server.',
    file: `${DRIVERS}/mysql/src/mysql-options.ts`,
    name: 'MysqlConfig',
    strangers: 'aliases',
  },
  {
    title: 'SQLite',
    intro: '',
    file: `${DRIVERS}/sqlite/src/sqlite-options.ts`,
    name: 'SqliteOptions',
    strangers: 'strangers',
  },
  {
    title: 'A statement',
    intro: 'For `query`, `queryOne`, `queryExactlyOne`, `queryValue`, `execute`, `executeMany`.',
    file: `${CORE}/database.ts`,
    name: 'StatementOptions',
  },
  {
    title: 'A stream',
    intro: 'For `stream`, beside those of a statement.',
    file: `${CORE}/database.ts`,
    name: 'StreamOptions',
  },
  {
    title: 'A transaction',
    intro: 'For `transaction` and `begin`, which also take the isolation:',
    file: `${CORE}/database.ts`,
    name: 'TransactionOptions',
  },
  {
    title: 'How a transaction begins',
    intro: '',
    file: `${CORE}/dialect.ts`,
    name: 'BeginOptions',
  },
  {
    title: 'bulkInsert',
    intro: '',
    file: `${CORE}/database.ts`,
    name: 'BulkInsertOptions',
  },
  { title: 'acquire', intro: '', file: `${CORE}/database.ts`, name: 'AcquireOptions' },
  { title: 'close', intro: '', file: `${CORE}/database.ts`, name: 'CloseOptions' },
  {
    title: 'installShutdown',
    intro: '',
    file: `${DATABASE}/install-shutdown.ts`,
    name: 'ShutdownOptions',
  },
];

/** Every option with its type, its default and what it means, read from the sources. */
export function optionPage(root: string): string {
  return `---
outline: 2
---

# Options

Made from the sources. Lengths of time are milliseconds or texts: \`500\`, \`"10s"\`, \`"2min"\`. An option that is not here is refused by its name, with the likely right one.

${SECTIONS.map((section) => optionSection(root, section)).join('\n')}`;
}

function optionSection(root: string, { title, intro, file, name, strangers }: Section): string {
  const source = parseSource(root, file);
  const rows: string[] = [];
  walk(source, (node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return;
    for (const member of node.members) if (ts.isPropertySignature(member)) rows.push(row(member));
  });
  if (rows.length === 0) throw new Error(`${file} has no interface ${name} with options`);
  return `## ${title}

${intro}

| Option | Default | Meaning |
| --- | --- | --- |
${rows.join('\n')}
${strangers === undefined ? '' : strangerLines(source, strangers)}`;
}

function row(member: ts.PropertySignature): string {
  const doc = docOf(member);
  const found = /\bDefault: (.*?)(?:\.(?= |$)|$)/.exec(doc);
  const meaning = doc
    .replace(found?.[0] ?? '', '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const type = member.type?.getText().replaceAll(/\s+/g, ' ').replaceAll('readonly ', '') ?? '';
  // A group of options has a table of its own.
  const table = SECTIONS.find(({ name }) => name === type);
  const words = meaning === '' && table ? `See [${table.title}](#${table.title}).` : meaning;
  // Under the name, so that a narrow screen shows the meaning too.
  const typed = `\`${member.name.getText()}\`<br>\`${type.replaceAll('|', String.raw`\|`)}\``;
  return `| ${typed} | ${cell(found?.[1] ?? '')} | ${cell(words)} |`;
}

/** The names that people bring from elsewhere: refused, with the name that is meant. */
function strangerLines(source: ts.SourceFile, constant: string): string {
  const names = new Map<string, string[]>();
  walk(source, (node) => {
    if (!ts.isVariableDeclaration(node) || node.name.getText() !== constant) return;
    walk(node, (inner) => {
      if (!ts.isPropertyAssignment(inner) || !ts.isStringLiteral(inner.initializer)) return;
      const ours = inner.initializer.text;
      const theirs = inner.name.getText().replaceAll(/^['"]|['"]$/g, '');
      names.set(ours, [...(names.get(ours) ?? []), theirs]);
    });
  });
  const lines = [...names].map(
    ([ours, theirs]) => `- ${theirs.map((name) => `\`${name}\``).join(', ')}: \`${ours}\``,
  );
  if (lines.length === 0) throw new Error(`${source.fileName} has no names in ${constant}`);
  return `
Names from elsewhere, and what is meant:

${lines.join('\n')}
`;
}
