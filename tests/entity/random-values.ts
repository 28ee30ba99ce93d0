import type { SeededRandom } from '../setup/seeded-random.ts';

const texts = [
  '',
  ' spaces around ',
  'O\'Brien said "no" -- \\ % _ ` ; ${x} ? $1 :name',
  'null',
  '0042',
  'two\nlines\tand a tab',
  'Łódź, Ærø, 東京, \u{1f600}\u{1f468}\u200d\u{1f469}\u200d\u{1f467}, e\u0301',
  '\u05e9\u05dc\u05d5\u05dd',
  'x'.repeat(5000),
];
const numbers = [
  0,
  -1,
  0.1 + 0.2,
  Math.PI,
  -123_456_789.123_456_78,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  1e21,
  1e300,
  -2.5e-300,
];
const bigs = [0n, -1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const moments = [
  '1970-01-01T00:00:00.000Z',
  '2024-02-29T23:59:59.999Z',
  '1899-12-31T12:00:00.001Z',
  '0001-01-01T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '2024-03-31T01:30:00.500Z',
];
const words = ['a', 'é', '東', '\u{1f600}', 'with space', '', '0', "quo'te", 'null'];

/** Fields and what may stand in them; names of all kinds, among them words of SQL. */
export const fields: Readonly<Record<string, (random: SeededRandom) => unknown>> = {
  title: (random) => random.pick(texts),
  'naïve 名前': (random) => random.pick(texts),
  order: (random) => random.pick([...numbers, random.next() * 1e6, random.between(-1000, 1000)]),
  Größe: (random) => random.between(-5, 5),
  big: (random) => random.pick(bigs),
  done: (random) => random.next() < 0.5,
  at: (random) =>
    new Date(random.next() < 0.5 ? random.pick(moments) : random.between(0, 2e9) * 1000),
  doc: (random) => randomJson(random, 4),
  tags: (random) => Array.from({ length: random.between(0, 3) }, () => random.pick(words)),
  bytes: (random) =>
    Buffer.from(Array.from({ length: random.between(0, 20) }, () => random.between(0, 255))),
};

/** Some of the fields; each of them may be null, which is not the same as missing. */
export function randomFields(random: SeededRandom): Record<string, unknown> {
  const some: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const draw = random.next();
    if (draw < 0.45) some[name] = value(random);
    else if (draw < 0.55) some[name] = null;
    // As good as missing.
    else if (draw < 0.6) some[name] = undefined;
  }
  return some;
}

/** Lists and objects outside, anything inside. */
function randomJson(random: SeededRandom, depth: number): unknown {
  const inside = (): unknown =>
    depth > 0 && random.next() < 0.5
      ? randomJson(random, depth - 1)
      : random.pick([null, true, false, random.pick(numbers), random.pick(words), 'x'.repeat(300)]);
  if (random.next() < 0.5) return Array.from({ length: random.between(0, 3) }, inside);
  return Object.fromEntries(
    Array.from({ length: random.between(0, 3) }, () => [random.pick(words), inside()]),
  );
}
