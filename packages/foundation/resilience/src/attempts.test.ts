import { QueryError } from '@dal/core';
import { expect, test } from 'vitest';
import { attachAttempts, attemptsOf } from './attempts.ts';

const first = new Error('first');
const second = new Error('second');

test('errors of the layer and others carry the attempts before them', () => {
  for (const error of [new QueryError('last'), new RangeError('last')]) {
    attachAttempts(error, [first, second]);
    expect(error).toHaveProperty('attempts', [first, second]);
    expect(attemptsOf(error)).toEqual([first, second]);
  }
});

test('what can carry nothing is left alone, and asked by attemptsOf', () => {
  const frozen = Object.freeze(new Error('frozen'));
  attachAttempts(frozen, [first]);
  expect(frozen).not.toHaveProperty('attempts');
  expect(attemptsOf(frozen)).toEqual([first]);

  const own = Object.assign(new Error('own'), { attempts: 3 });
  attachAttempts(own, [first]);
  expect(own.attempts).toBe(3);
  expect(attemptsOf(own)).toEqual([first]);

  for (const thrown of ['text', 7, null, undefined]) {
    attachAttempts(thrown, [first]);
    expect(attemptsOf(thrown)).toEqual([]);
  }
  attachAttempts({}, []);
  expect(attemptsOf(new Error('never retried'))).toEqual([]);
});

test('what an inner retry collected stays, after the earlier attempts', () => {
  const error = new QueryError('last');
  attachAttempts(error, [second]);
  attachAttempts(error, [first]);
  expect(error.attempts).toEqual([first, second]);
});

test('one object that is thrown by every attempt makes no circle and does not grow', () => {
  const same = new Error('same');
  attachAttempts(same, [same, same]);
  expect(attemptsOf(same)).toEqual([]);
  for (let call = 0; call < 300; call++) attachAttempts(same, [new Error(`${call}`)]);
  expect(attemptsOf(same)).toHaveLength(100);
});

test('a thrown text is kept as the cause of an error', () => {
  const error = new Error('last');
  attachAttempts(error, ['text']);
  expect(attemptsOf(error)[0]).toMatchObject({ cause: 'text' });
});
