import { array, assert, boolean, nat, property, tuple } from 'fast-check';
import { expect, test } from 'vitest';
import { LiveList } from './live-list.ts';

test('has what a Set would have, whatever comes and goes', () => {
  const step = tuple(boolean(), nat(9));
  assert(
    property(array(step, { maxLength: 60 }), (steps) => {
      const list = new LiveList<{ name: number; place: number }>();
      const set = new Set<number>();
      const members = Array.from({ length: 10 }, (_, name) => ({ name, place: -1 }));
      for (const [comes, name] of steps) {
        const member = members[name]!;
        if (comes && !set.has(name)) {
          list.add(member);
          set.add(name);
        } else if (!comes) expect(list.delete(member)).toBe(set.delete(name));
        expect(list.size).toBe(set.size);
        for (const one of members) expect(list.has(one)).toBe(set.has(one.name));
        expect(new Set([...list].map((one) => one.name))).toEqual(set);
      }
    }),
  );
});

test('a loop sees those who were there when it began', () => {
  const list = new LiveList<{ place: number }>();
  const [a, b] = [{ place: -1 }, { place: -1 }];
  list.add(a);
  list.add(b);
  const seen = [];
  for (const member of list) {
    seen.push(member);
    list.delete(a);
    list.delete(b);
  }
  expect(seen).toEqual([a, b]);
  expect(list.size).toBe(0);
});
