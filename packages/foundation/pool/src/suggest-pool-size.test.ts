import { expect, test } from 'vitest';
import { suggestPoolSize } from './suggest-pool-size.ts';

const GIB = 2 ** 30;
const roomy = { memory: 64 * GIB, serverMax: 10_000 };

test.each([
  ['one instance, 8 cores', { cpus: 8, ...roomy }, 17, 'cpus'],
  ['four instances share the cores', { cpus: 8, instances: 4, ...roomy }, 5, 'cpus'],
  ['each has two at least', { cpus: 2, instances: 25, ...roomy }, 2, 'cpus'],
  ['disks that spin', { cpus: 8, disks: 4, ...roomy }, 20, 'cpus'],
  // 2,000 a second of 20 ms are 40 busy ones; at 70 % that takes 58.
  ['a known load', { cpus: 8, statementsPerSecond: 2_000, statementMs: 20, ...roomy }, 58, 'load'],
  [
    'a load that is small',
    { cpus: 8, statementsPerSecond: 10, statementMs: 20, ...roomy },
    17,
    'cpus',
  ],
  ['little memory', { cpus: 64, memory: 64 * 2 ** 20, serverMax: 10_000 }, 8, 'memory'],
  ['a small server', { cpus: 64, memory: GIB, serverMax: 20, reserved: 3 }, 17, 'server'],
  [
    'its part of a small server',
    { cpus: 64, memory: GIB, serverMax: 100, reserved: 10, instances: 9 },
    10,
    'server',
  ],
] as const)('%s', (_, facts, max, limitedBy) => {
  const suggested = suggestPoolSize(facts);
  expect(suggested).toMatchObject({ max, limitedBy, min: Math.floor(max / 4) });
  expect(suggested.why.startsWith(`${max}: `)).toBe(true);
});

test('all instances together never pass what the server has for them', () => {
  for (let round = 0; round < 5_000; round++) {
    const facts = {
      cpus: 1 + Math.floor(Math.random() * 128),
      memory: GIB,
      serverMax: 1 + Math.floor(Math.random() * 500),
      reserved: Math.floor(Math.random() * 20),
      instances: 1 + Math.floor(Math.random() * 40),
      statementsPerSecond: Math.random() * 10_000,
      statementMs: Math.random() * 100,
    };
    const { serverMax, reserved, instances } = facts;
    if ((serverMax - reserved) / instances < 1) {
      expect(() => suggestPoolSize(facts)).toThrow("can't share");
      continue;
    }
    const { min, max } = suggestPoolSize(facts);
    expect(max * instances).toBeLessThanOrEqual(serverMax - reserved);
    expect(max).toBeGreaterThanOrEqual(1);
    expect(min).toBeLessThanOrEqual(max);
  }
});

test('without facts it goes by this machine', () => {
  const { min, max } = suggestPoolSize();
  expect(max).toBeGreaterThanOrEqual(2);
  expect(min).toBeLessThan(max);
});

test('wrong facts are refused by name', () => {
  expect(() => suggestPoolSize({ cpus: Number.NaN })).toThrow('suggestPoolSize.cpus');
  expect(() => suggestPoolSize({ instances: 0 })).toThrow('suggestPoolSize.instances');
  expect(() => suggestPoolSize({ instnces: 2 } as object)).toThrow('Did you mean "instances"?');
});
