import { expect, test } from 'vitest';
import { StatementCache } from './statement-cache.ts';

/** Looks a text up as a driver does, and prepares it when it isn't there. */
function use(cache: StatementCache<string>, ...wanted: string[]): void {
  for (const text of wanted) if (cache.get(text) === undefined) cache.put(text, text);
}

function texts(count: number, prefix = 'text'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
}

test('the least recently used statement gives way, and is handed out to be closed', () => {
  const closed: string[] = [];
  const cache = new StatementCache<string>({
    initial: 3,
    onEvict: (statement) => closed.push(statement),
  });
  use(cache, 'a', 'b', 'c', 'a', 'd');
  expect(closed).toEqual(['b']);
  use(cache, 'a', 'e');
  expect(closed).toEqual(['b', 'c']);
  expect(cache.get('a')).toBe('a');
  expect(cache.get('b')).toBeUndefined();
});

test('hits, misses and evictions are counted', () => {
  const cache = new StatementCache<string>({ initial: 2 });
  expect(cache.hitRatio).toBe(0);
  use(cache, 'a', 'a', 'a', 'b', 'c');
  expect(cache.stats()).toEqual({ size: 2, capacity: 2, hits: 2, misses: 3, evictions: 1 });
  expect([cache.hits, cache.misses, cache.evictions, cache.hitRatio]).toEqual([2, 3, 1, 0.4]);
});

test('a long text is not kept', () => {
  const cache = new StatementCache<string>();
  const longest = 'x'.repeat(15_360);
  expect([cache.takes(longest), cache.takes(`${longest}x`)]).toEqual([true, false]);
  expect([cache.put(longest, 'kept'), cache.put(`${longest}x`, 'not')]).toEqual([true, false]);
  expect([cache.get(longest), cache.get(`${longest}x`)]).toEqual(['kept', undefined]);
});

test('a statement older than the lifetime is closed and prepared anew, however often it is used', () => {
  let now = 1_000;
  const closed: string[] = [];
  const cache = new StatementCache<string>({
    now: () => now,
    onEvict: (statement) => closed.push(statement),
  });
  cache.put('a', 'first');
  const foundOf16 = (): number => {
    let found = 0;
    for (let round = 0; round < 16; round++) if (cache.get('a') !== undefined) found++;
    return found;
  };
  for (const moment of [1_000, 150_000, 300_999]) {
    now = moment;
    expect(foundOf16()).toBe(16);
  }
  now = 301_000;
  expect(foundOf16()).toBeLessThan(16);
  expect(closed).toEqual(['first']);
  cache.put('a', 'second');
  expect(foundOf16()).toBe(16);
  // It made no room for another.
  expect(cache.stats()).toMatchObject({ size: 1, evictions: 0 });
});

test('a lifetime of 0 is none', () => {
  let now = 0;
  const cache = new StatementCache<string>({ lifetimeMs: 0, now: () => now });
  cache.put('a', 'a');
  now = 1e12;
  for (let round = 0; round < 16; round++) expect(cache.get('a')).toBe('a');
});

test('the capacity doubles while statements push each other out, up to the limit', () => {
  const cache = new StatementCache<string>();
  const round = texts(300);
  const capacities = new Set<number>();
  for (let turn = 0; turn < 40; turn++) {
    use(cache, ...round);
    capacities.add(cache.stats().capacity);
  }
  // 400 hold them all, so there it stays, and every lookup is a hit.
  expect([...capacities]).toEqual([100, 200, 400]);
  const before = cache.misses;
  use(cache, ...round);
  expect(cache.misses).toBe(before);
});

test('no number of different texts leads beyond the limit', () => {
  let open = 0;
  const cache = new StatementCache<string>({ onEvict: () => open-- });
  for (const text of texts(10_000)) {
    use(cache, text);
    open++;
    expect(open).toBeLessThanOrEqual(500);
  }
  expect(cache.stats()).toEqual({
    size: 500,
    capacity: 500,
    hits: 0,
    misses: 10_000,
    evictions: 9_500,
  });
  expect(open).toBe(500);
});

test('a few rare texts beside the usual ones change nothing', () => {
  const cache = new StatementCache<string>();
  const usual = texts(60);
  for (let turn = 0; turn < 200; turn++) use(cache, ...usual, `rare ${turn}`);
  expect(cache.stats().capacity).toBe(100);
  expect(cache.hitRatio).toBeGreaterThan(0.95);
});

test('the capacity shrinks while few are used, down to the limit, and closes the others', () => {
  const closed: string[] = [];
  const cache = new StatementCache<string>({
    initial: 400,
    onEvict: (statement) => closed.push(statement),
  });
  use(cache, ...texts(400));
  const few = texts(10, 'few');
  for (let turn = 0; turn < 1_500; turn++) use(cache, ...few);
  expect(cache.stats()).toMatchObject({ capacity: 50, size: 50 });
  expect(closed).toHaveLength(360);
  expect(closed.filter((text) => text.startsWith('few'))).toEqual([]);
  expect(cache.misses).toBe(410);
});

test('what the lookup itself pushes out is not found', () => {
  const closed: string[] = [];
  const cache = new StatementCache<string>({
    initial: 4,
    min: 1,
    onEvict: (statement) => closed.push(statement),
  });
  use(cache, 'a', 'b', 'c', 'd');
  for (let round = 0; closed.length === 0 && round < 100; round++) {
    const before = cache.stats().capacity;
    const found = cache.get(round === 35 ? 'b' : 'a');
    if (cache.stats().capacity < before) expect(found).toBeUndefined();
  }
  expect(closed).toEqual(['b']);
});

test('a capacity that is given as its own limits stays', () => {
  const cache = new StatementCache<string>({ initial: 7, min: 7, max: 7 });
  use(cache, ...texts(1_000));
  for (let turn = 0; turn < 1_000; turn++) use(cache, 'one');
  expect(cache.stats()).toMatchObject({ capacity: 7, size: 7 });
});

test('what the server has forgotten is forgotten without being closed', () => {
  const closed: string[] = [];
  const cache = new StatementCache<string>({ onEvict: (statement) => closed.push(statement) });
  use(cache, 'a', 'b', 'c');
  expect([cache.delete('a'), cache.delete('a')]).toEqual([true, false]);
  cache.clear();
  expect([cache.get('b'), cache.stats().size, closed]).toEqual([undefined, 0, []]);
});
