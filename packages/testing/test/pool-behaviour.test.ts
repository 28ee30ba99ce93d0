import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { poolBehaviours, runPoolBehaviour } from '@dal/testing/pool-behaviour';

const clock = { advance: (ms: number) => vi.advanceTimersByTimeAsync(ms) };

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
  });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a pool without a database', () => {
  test.each(poolBehaviours)('$name', async (behaviour) => {
    expect(await runPoolBehaviour(behaviour, clock)).toEqual(behaviour.steps);
  });

  test('a step that reads like none is refused', async () => {
    const typo = { name: 'typo', options: {}, steps: [['aquire a']] } as const;
    await expect(runPoolBehaviour(typo, clock)).rejects.toThrow('"aquire a" is no operation');
  });
});
