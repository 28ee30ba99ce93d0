import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Card } from '@dal/testing/conformance';

/** Where the page is, from the root. */
export const SUPPORT_PAGE = 'apps/docs/src/support.md';

const GROUPS = [
  { title: 'Drivers of DAL', cards: 'packages/drivers/*/conformance*.json' },
  { title: 'Examples of drivers by others', cards: 'apps/examples/drivers/*/conformance.json' },
] as const;

/** What every driver can do, by the card that the conformance kit wrote of it. */
export function supportPage(root: string): string {
  return [
    '# What each driver can do',
    '',
    'Every driver runs the same conformance kit against a real server, and the kit writes a card of what it saw. This page is made of the cards by `pnpm support`; a change here would be lost.',
    '',
    'A driver is `full` when every chapter passes and none is skipped as a whole, `steady` without streams, bulk loads, the schema and killed sessions, and `speaks` when values, statements, transactions and errors are in order. A cell has the tests that passed; behind a plus those that were skipped because of what the driver declares; behind a minus those that failed.',
    '',
    ...GROUPS.flatMap(({ title, cards }) => group(title, readCards(root, cards))),
    'How to make such a card: [Write a driver in an afternoon](./guides/write-a-driver.md).',
    '',
  ].join('\n');
}

function readCards(root: string, pattern: string): Card[] {
  return globSync(pattern, { cwd: root })
    .toSorted()
    .map((path) => JSON.parse(readFileSync(join(root, path), 'utf8')) as Card);
}

function group(title: string, cards: readonly Card[]): string[] {
  const heads = cards.map(headOf);
  const chapters = [...new Set(cards.flatMap((card) => Object.keys(card.chapters)))];
  const row = (name: string, cells: readonly string[]): string[] => [name, ...cells];
  const rows = [
    row(
      'level',
      cards.map(({ level }) => `**${level}**`),
    ),
    row(
      'tested with',
      cards.map(({ serverVersion }) => serverVersion),
    ),
    row(
      'library',
      cards.map(({ driver, driverVersion }) => `${driver} ${driverVersion}`),
    ),
    ...chapters.map((chapter) =>
      row(
        chapter,
        cards.map((card) => cell(card, chapter)),
      ),
    ),
    row(
      'isolations',
      cards.map(({ isolations }) => isolations.replaceAll(', ', '<br>')),
    ),
    row(
      'optional members',
      cards.map(({ optionalMembers }) => optionalMembers),
    ),
  ];
  return [`## ${title}`, '', ...table(['', ...heads], rows), ''];
}

function headOf({ name, flavor }: Card): string {
  return name === flavor ? name : `${flavor} (${name})`;
}

function cell({ chapters }: Card, chapter: string): string {
  const counts = chapters[chapter];
  if (counts === undefined) return '';
  const { passed, skipped, failed } = counts;
  return `${passed}${skipped > 0 ? ` + ${skipped}` : ''}${failed > 0 ? ` − ${failed}` : ''}`;
}

/** In columns of one width, as the formatter would have it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(3, ...all.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}
