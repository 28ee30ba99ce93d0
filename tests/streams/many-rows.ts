/**
 * A statement that answers `count` rows on every engine, without a table: numbers from 0, a text and
 * a number of which some are fractions.
 */
export function manyRows(count: number): string {
  const places = Math.max(1, Math.ceil(Math.log10(count)));
  const letters = 'abcdefgh'.slice(0, places).split('');
  const id = letters.map((letter, place) => `${letter}.n * ${10 ** place}`).join(' + ');
  const digits = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS n`).join(
    ' UNION ALL ',
  );
  const tables = letters.map((letter) => `digits ${letter}`).join(' CROSS JOIN ');
  return (
    `WITH digits AS (${digits}) SELECT ${id} AS id, 'a text of some length, as rows have it' AS name, ` +
    `(${id}) * 0.25 AS amount FROM ${tables} LIMIT ${count}`
  );
}
